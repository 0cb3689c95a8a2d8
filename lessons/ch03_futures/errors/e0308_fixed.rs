//! The twin of e0308.rs: the future is awaited.

async fn answer() -> u32 {
    42
}

async fn double() -> u32 {
    let number: u32 = answer().await;
    2 * number
}

fn main() {
    drop(double());
}
