//! E0271

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
    event_loop.spawn("one", work(1));
}

fn main() {
    start(&EventLoop);
}
