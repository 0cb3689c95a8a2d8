//! The half of a loop that other threads may touch: the inbox, the counts that tell a stall, and the wake-up call.
//!
//! The other half, which only the loop's own thread touches, is [`Local`](crate::local::Local).

use std::time::Instant;

use crate::record::{News, Place, Said, Told, What};
use crate::report::{self, OnReport, Report};
use crate::sync::{Arc, AtomicBool, AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, thread};
use crate::task::Outside;
use crate::timer::Timers;

pub(crate) struct Shared {
    pub(crate) name: String,
    /// Somebody observes the loop: its tasks give out wakers that record.
    pub(crate) is_recorded: bool,
    /// The loop's own thread.
    pub(crate) thread: thread::ThreadId,
    inbox: Mutex<Inbox>,
    parked: Condvar,
    /// Whether the loop has to look into the inbox before its next turn. Written under the inbox's lock; a loop that
    /// reads it too early looks one turn later, and before it parks it takes the lock in any case.
    pub(crate) pending: AtomicBool,
    /// The loop counts the references from which a wake could still come, and is about to park. Set before it
    /// counts; who drops such a reference afterwards looks here. Both are SeqCst: either the loop's count is the
    /// lower one, or the dropper sees the flag and wakes the loop, so that it counts again.
    pub(crate) watching: AtomicBool,
    /// `LoopHandle`s and `ClockHold`s alive.
    pub(crate) handles: AtomicUsize,
    /// Jobs of `run_in_executor` whose result is not published yet.
    pub(crate) jobs: AtomicUsize,
    pub(crate) timers: Arc<Timers>,
    /// Held while the joiner of a submitted task is touched.
    pub(crate) joining: Mutex<()>,
    on_report: OnReport,
}

#[derive(Default)]
pub(crate) struct Inbox {
    /// Tasks woken or submitted from elsewhere, in the order in which that happened.
    pub(crate) woken: Vec<Outside>,
    /// On a recording loop: what comes with the news about it, in one order. In a box, so that the inbox of any other
    /// is no larger.
    pub(crate) news: Option<Box<News>>,
    /// The loop's thread waits on the condition variable.
    parked: bool,
    /// The timer thread saw a deadline pass.
    pub(crate) alarm: bool,
    pub(crate) stop: bool,
    /// The loop is in a run, and will answer an alarm.
    pub(crate) is_running: bool,
    /// Nothing more is taken in.
    pub(crate) closed: bool,
    /// `ClockHold`s alive: the loop starts no turn.
    pub(crate) holds: u32,
    /// Those among them that were taken on the loop's own thread.
    pub(crate) own_holds: u32,
}

impl Shared {
    pub(crate) fn new(name: String, is_virtual: bool, is_recorded: bool, on_report: OnReport) -> Arc<Self> {
        Arc::new_cyclic(|this| Shared {
            name,
            is_recorded,
            thread: thread::current().id(),
            inbox: Mutex::new(Inbox { news: is_recorded.then(Box::default), ..Inbox::default() }),
            parked: Condvar::default(),
            pending: AtomicBool::new(false),
            watching: AtomicBool::new(false),
            handles: AtomicUsize::new(0),
            jobs: AtomicUsize::new(0),
            timers: Timers::new(Some(this.clone()), is_virtual, is_recorded),
            joining: Mutex::default(),
            on_report,
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock()
    }

    /// Changes the inbox, and wakes the loop if it is parked. The change is made under the lock under which the loop
    /// looks a last time before it parks, so it sees the change or is seen to be parked.
    pub(crate) fn tell<R>(&self, change: impl FnOnce(&mut Inbox) -> R) -> R {
        let mut inbox = self.lock();
        let answer = change(&mut inbox);
        if let Some(news) = &mut inbox.news {
            news.is_from_own_thread |= self.is_own_thread();
        }
        self.pending.store(true, Ordering::Release);
        self.unpark(inbox);
        answer
    }

    fn unpark(&self, mut inbox: MutexGuard<'_, Inbox>) {
        let was_parked = std::mem::take(&mut inbox.parked);
        drop(inbox);
        if was_parked {
            self.parked.notify_one();
        }
    }

    /// Puts a new task into the inbox. A closed loop gives it back. Entries are dropped only after the lock.
    pub(crate) fn submit(&self, entry: Outside, function: &'static str, at: Place) -> Option<Outside> {
        self.tell(|inbox| {
            if inbox.closed {
                return Some(entry);
            }
            self.enter_new(inbox, entry, function, at);
            None
        })
    }

    /// What is new to the loop, and not only to be polled again. The inbox is open.
    pub(crate) fn enter_new(&self, inbox: &mut Inbox, entry: Outside, function: &'static str, at: Place) {
        if let Some(news) = &mut inbox.news {
            let submitted = move |_: &_, said: Said| What::Submitted { id: said.id(), function, by: said.by }.at(at);
            news.told.push(Told::new(self, Some(entry), true, submitted));
        } else {
            inbox.woken.push(entry);
        }
    }

    /// Puts a task that was woken into the inbox. A closed loop lets it go.
    pub(crate) fn push(&self, entry: Outside) {
        let refused = self.tell(|inbox| {
            if inbox.closed {
                return Some(entry);
            }
            inbox.woken.push(entry);
            None
        });
        drop(refused);
    }

    /// The inbox, if a `ClockHold` is alive.
    pub(crate) fn held(&self) -> Option<MutexGuard<'_, Inbox>> {
        // A hold keeps the flag raised, so that without one this costs no lock.
        self.pending.load(Ordering::Acquire).then(|| self.lock()).filter(|inbox| inbox.holds > 0)
    }

    /// Something from which a wake could have come is gone.
    pub(crate) fn look_again(&self) {
        if self.watching.load(Ordering::SeqCst) {
            // Also a loop that has counted, and is not yet parked, must count again.
            self.tell(|_| {});
        }
    }

    /// Parks the loop's thread until somebody calls [`unpark`](Self::unpark). This is where the loop blocks, and the
    /// only place.
    pub(crate) fn park(&self, mut inbox: MutexGuard<'_, Inbox>) {
        inbox.parked = true;
        while inbox.parked {
            inbox = self.parked.wait(inbox);
        }
    }

    pub(crate) fn is_own_thread(&self) -> bool {
        thread::current().id() == self.thread
    }

    pub(crate) fn report(&self, report: &Report) {
        report::deliver(&self.on_report, report);
    }

    pub(crate) fn now(&self) -> Instant {
        self.timers.now()
    }
}
