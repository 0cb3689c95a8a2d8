//! The twin of e0509.rs: the numbers are taken out, and an empty list is left for the destructor.

/// What a task has read. A task that is cancelled says how much of it nobody will get.
pub struct Received(Vec<u32>);

impl Drop for Received {
    fn drop(&mut self) {
        println!("{} numbers were not wanted", self.0.len());
    }
}

impl Received {
    pub fn into_numbers(mut self) -> Vec<u32> {
        std::mem::take(&mut self.0)
    }
}

fn main() {
    println!("{:?}", Received(vec![1, 2, 4]).into_numbers());
}
