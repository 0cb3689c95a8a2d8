//! Chapter 5's way, a thread for each registration: n sleeps of 1, 2, … n seconds in one task, counted.

fn main() {
    println!("sleeps  polls    threads  outlive the future");
    for sleeps in [1, 3, 10, 20] {
        // waiting[k]: threads that call their waker when second k is over.
        let mut waiting = vec![0_u64; sleeps + 1];
        let (mut polls, mut threads) = (0, 0);
        let mut poll = |now: usize, waiting: &mut Vec<u64>| {
            polls += 1;
            for deadline in now + 1..=sleeps {
                waiting[deadline] += 1;
                threads += 1;
            }
            now == sleeps
        };
        let mut is_ready = poll(0, &mut waiting);
        for now in 1..=sleeps {
            while waiting[now] > 0 && !is_ready {
                waiting[now] -= 1;
                is_ready = poll(now, &mut waiting);
            }
        }
        println!("{sleeps:6} {polls:6} {threads:10} {:19}", waiting[sleeps]);
    }
}
