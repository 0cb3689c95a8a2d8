//! What a pause between two polls costs: a future that is ready after 4 seconds, polled again after each pause.

fn main() {
    for pause in [1, 500, 3000] {
        let (mut now, mut polls) = (0, 1);
        while now < 4000 {
            now += pause;
            polls += 1;
        }
        println!("a pause of {pause} ms: {polls} polls, ready seen at {:.3} s", f64::from(now) / 1000.0);
    }
}
