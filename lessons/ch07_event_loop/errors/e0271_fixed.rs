//! The twin of e0271.rs: the task does something with the result, and has none itself.

pub struct EventLoop;

impl EventLoop {
    pub fn spawn(&self, name: &str, future: impl Future<Output = ()>) {
        println!("{name}");
        drop(future);
    }
}

pub async fn work(x: u64) -> String {
    format!("Done after {x}s")
}

pub fn start(event_loop: &EventLoop) {
    event_loop.spawn("one", async {
        println!("{}", work(1).await);
    });
}

fn main() {
    start(&EventLoop);
}
