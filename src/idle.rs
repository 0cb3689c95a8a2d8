//! What a loop does when nothing is ready: it jumps its virtual clock, parks, or finds that neither is any use.

use crate::local::Local;
use crate::record::What;
use crate::stall::{self, StallReport};
use crate::sync::{Ordering, spin_until};

impl Local {
    /// Nothing is ready: jumps a virtual clock, parks, or says why neither is any use.
    #[track_caller]
    pub(crate) fn idle(&self) -> Result<(), StallReport> {
        let shared = &*self.shared;
        // Before the counts are read, so that whoever lowers one of them from now on wakes the loop.
        shared.watching.store(true, Ordering::SeqCst);
        let outcome = self.idle_watching();
        shared.watching.store(false, Ordering::SeqCst);
        outcome
    }

    #[track_caller]
    fn idle_watching(&self) -> Result<(), StallReport> {
        let shared = &*self.shared;
        if let Some(inbox) = shared.held() {
            if inbox.own_holds > 0 {
                drop(inbox);
                panic!(
                    "a ClockHold taken on the loop's own thread keeps the loop from its next turn, and only that turn \
                     could drop it: drop the hold before you await or run the loop"
                );
            }
            shared.park(inbox);
            return Ok(());
        }
        // Counts first, the inbox last: a wake, a submission, a result is in the inbox before its count falls, so a
        // count of zero means that all there was is in the inbox.
        let jobs = shared.jobs.load(Ordering::SeqCst);
        let timers = shared.timers.live();
        let others = jobs > 0 || shared.handles.load(Ordering::SeqCst) > 0;
        if others && spin_until(100, || shared.pending.load(Ordering::Relaxed)) {
            // A thread that has begun to submit may go on: to meet it at the lock for each one would cost both more
            // than this moment.
            spin_until(50, || false);
            return Ok(());
        }
        let stalled = if others || timers > 0 { None } else { stall::check(self) };
        let inbox = shared.lock();
        if shared.pending.load(Ordering::Relaxed) {
            return Ok(());
        }
        if timers > 0 && shared.timers.is_virtual && jobs == 0 {
            // Under the inbox's lock, so that no `ClockHold` can begin in mid-jump.
            let from = shared.timers.jump();
            drop(inbox);
            self.record(|recording| What::ClockJumped { from: recording.since_start(from) });
            shared.timers.wake_due();
            return Ok(());
        }
        if let Some(report) = stalled {
            return Err(report);
        }
        shared.park(inbox);
        Ok(())
    }
}
