//! The twin of e0507.rs: the box moves, and the future stays.

async fn nothing() {}

fn main() {
    let boxed = Box::pin(nothing());
    let moved = boxed;
    drop(moved);
}
