//! Ann and Bob count down, each by an ordinary function.

fn countdown(name: &str, from: u32) {
    for number in (1..=from).rev() {
        println!("{name}: {number}");
    }
    println!("{name}: lift-off");
}

fn main() {
    countdown("Ann", 3);
    countdown("Bob", 2);
}
