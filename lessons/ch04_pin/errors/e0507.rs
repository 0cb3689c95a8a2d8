//! E0507

async fn nothing() {}

fn main() {
    let boxed = Box::pin(nothing());
    let moved = *boxed;
    drop(moved);
}
