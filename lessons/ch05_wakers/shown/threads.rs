//! How many wakers the stage's run makes, and so how many threads: a poll in which a sleep is pending makes one.

fn main() {
    let sleeps = [1, 2, 4];
    // Polled at the start, and whenever a thread wakes the task: once for each waker that is due.
    let (mut due, mut made, mut polls) = (vec![0], 0, 0);
    while let Some(now) = due.pop() {
        polls += 1;
        let pending: Vec<u64> = sleeps.into_iter().filter(|sleep| *sleep > now).collect();
        println!("poll {polls} at {now} s: pending {pending:?}, threads made {}", pending.len());
        made += pending.len();
        if pending.is_empty() {
            println!("threads made in all: {made}; still asleep at the end: {}", due.len());
            return;
        }
        due.extend(pending);
        due.sort_by(|one, other| other.cmp(one));
    }
}
