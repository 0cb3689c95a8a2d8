//! Two machines in turn, and a loop of a few lines with nothing of handloop in it: what it does, it tells.

use std::collections::VecDeque;

/// Who listens. Alone nobody does; the player records what it hears.
pub static PLAYER: std::sync::OnceLock<fn(&str, &'static std::panic::Location<'static>)> = std::sync::OnceLock::new();

#[track_caller]
fn tell(event: &str) {
    match PLAYER.get() {
        Some(player) => player(event, std::panic::Location::caller()),
        None => event.strip_prefix("say ").into_iter().for_each(|line| println!("{line}")),
    }
}

/// What a machine says when it pauses.
enum Yielded {
    Now,
    Sleep(u64),
    Done,
}

/// Counts down, and pauses after each number.
struct Countdown {
    from: u32,
    pause: u64,
}

impl Countdown {
    fn resume(&mut self) -> Yielded {
        if self.from == 0 {
            return Yielded::Done;
        }
        tell(&format!("say {}", self.from));
        self.from -= 1;
        if self.pause == 0 { Yielded::Now } else { Yielded::Sleep(self.pause) }
    }
}

pub fn run() {
    let mut machines = [Countdown { from: 3, pause: 0 }, Countdown { from: 2, pause: 1_000 }];
    let (mut ready, mut sleeping) = (VecDeque::new(), Vec::new());
    let (mut clock, mut timers) = (0, 0);
    for (number, machine) in machines.iter().enumerate() {
        tell(&format!("task {} countdown from {}", number + 1, machine.from));
        ready.push_back(number);
    }
    tell("begin");
    loop {
        while let Some(number) = ready.pop_front() {
            let task = number + 1;
            tell(&format!("poll {task}"));
            match machines[number].resume() {
                Yielded::Now => {
                    ready.push_back(number);
                    tell(&format!("wake {task}"));
                    tell(&format!("pending {task}"));
                }
                Yielded::Sleep(time) => {
                    timers += 1;
                    sleeping.push((clock + time, timers, number));
                    tell(&format!("timer {timers} {task} {}", clock + time));
                    tell(&format!("pending {task}"));
                }
                Yielded::Done => tell(&format!("ready {task}")),
            }
        }
        // The earliest first; of two equal ones, the one that came first.
        sleeping.sort();
        if sleeping.is_empty() {
            break;
        }
        let (deadline, timer, number) = sleeping.remove(0);
        clock = deadline;
        tell(&format!("clock {clock}"));
        tell(&format!("fire {timer}"));
        ready.push_back(number);
        tell(&format!("wake {} by the timer", number + 1));
    }
    tell("end");
}
