//! E0308

async fn answer() -> u32 {
    42
}

async fn double() -> u32 {
    let number: u32 = answer();
    2 * number
}

fn main() {
    drop(double());
}
