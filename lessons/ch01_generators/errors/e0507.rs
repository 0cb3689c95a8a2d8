//! E0507

pub struct Countdown {
    pub at: u32,
}

pub enum Announced {
    Start { inner: Countdown },
    Inside { inner: Countdown },
    Done,
}

impl Announced {
    pub fn begin(&mut self) {
        if let Announced::Start { inner } = self {
            *self = Announced::Inside { inner: *inner };
        }
    }
}

fn main() {
    Announced::Start { inner: Countdown { at: 3 } }.begin();
}
