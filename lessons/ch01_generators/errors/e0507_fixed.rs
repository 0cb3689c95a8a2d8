//! The twin of e0507.rs: something is left in the place of what is taken.

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
            let inner = std::mem::replace(inner, Countdown { at: 0 });
            *self = Announced::Inside { inner };
        }
    }
}

fn main() {
    Announced::Start { inner: Countdown { at: 3 } }.begin();
}
