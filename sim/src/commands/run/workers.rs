//! Many jobs on several threads, told in their order. It knows nothing of scenarios.
//!
//! At most a window of jobs is handed out and not yet told, so that a slow one holds back the telling, but does not let
//! results pile up behind it.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded, select};

/// How many jobs a thread may have in the window.
const WINDOW_PER_THREAD: usize = 4;

/// Jobs' panics are caught, so this is not to happen.
const NO_WORKER: &str = "the threads that play scenarios ended early";

/// How to go about it.
pub(in crate::commands) struct Settings {
    /// How many jobs at a time.
    pub threads: usize,
    /// A message, or its sender's end, stops the work.
    pub interrupted: Receiver<()>,
    /// When to call [`Observer::tick`].
    pub ticks: Receiver<Instant>,
}

/// How the work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Ended {
    /// All of it is done.
    Done,
    /// The observer did not want more.
    Unwanted,
    /// A message said so. Jobs that were begun are abandoned: their threads end with the process.
    Interrupted,
}

/// Is told what happens, on the caller's thread.
pub(in crate::commands) trait Observer<J, R> {
    /// A job has its result, or the message of a panic. Gives whether to go on.
    fn finished(&mut self, job: &J, result: Result<R, String>) -> bool;
    /// Time has passed.
    fn tick(&mut self, now: Instant);
}

/// Does each of `jobs`, and tells in their order what came of it.
pub(in crate::commands) fn play_in_order<J, R, P>(
    jobs: impl Iterator<Item = J>,
    play: &Arc<P>,
    settings: &Settings,
    observer: &mut impl Observer<J, R>,
) -> io::Result<Ended>
where
    J: Send + 'static,
    R: Send + 'static,
    P: Fn(&J) -> R + Send + Sync + ?Sized + 'static,
{
    let threads = settings.threads.max(1);
    let window = threads.saturating_mul(WINDOW_PER_THREAD);
    let (to_do, work) = bounded(window);
    let (finished, results) = bounded(window);
    let mut jobs = (0..).zip(jobs);
    let mut waiting = Waiting { next: 0, done: BTreeMap::new() };
    let (mut started, mut handed_out) = (0, 0);
    loop {
        while handed_out - waiting.next < window
            && let Some(job) = jobs.next()
        {
            if started < threads {
                start(&work, &finished, play)?;
                started += 1;
            }
            handed_out += 1;
            // The workers live as long as there is one to take it from them, and the window fits into the channel.
            to_do.send(job).map_err(|_| io::Error::other(NO_WORKER))?;
        }
        if waiting.next == handed_out {
            return Ok(Ended::Done);
        }
        select! {
            recv(settings.interrupted) -> _ => return Ok(Ended::Interrupted),
            recv(settings.ticks) -> now => if let Ok(now) = now { observer.tick(now) },
            recv(results) -> result => {
                let Done { index, job, result } = result.map_err(|_| io::Error::other(NO_WORKER))?;
                waiting.done.insert(index, (job, result));
                while let Some((job, result)) = waiting.pop() {
                    if !observer.finished(&job, result) {
                        return Ok(Ended::Unwanted);
                    }
                }
            }
        }
    }
}

/// Results that wait for those before them.
struct Waiting<J, R> {
    next: usize,
    done: BTreeMap<usize, (J, Result<R, String>)>,
}

impl<J, R> Waiting<J, R> {
    fn pop(&mut self) -> Option<(J, Result<R, String>)> {
        let first = self.done.remove(&self.next)?;
        self.next += 1;
        Some(first)
    }
}

struct Done<J, R> {
    index: usize,
    job: J,
    result: Result<R, String>,
}

/// A worker ends when there is no more work, or nobody to tell.
fn start<J, R, P>(work: &Receiver<(usize, J)>, finished: &Sender<Done<J, R>>, play: &Arc<P>) -> io::Result<()>
where
    J: Send + 'static,
    R: Send + 'static,
    P: Fn(&J) -> R + Send + Sync + ?Sized + 'static,
{
    let (work, finished, play) = (work.clone(), finished.clone(), Arc::clone(play));
    let worker = move || {
        for (index, job) in work {
            // Nothing of a job that panicked is used again.
            let result = catch_unwind(AssertUnwindSafe(|| play(&job))).map_err(|panic| message(&*panic));
            if finished.send(Done { index, job, result }).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("worker".to_owned()).spawn(worker).map(drop)
}

/// What a panic said; `panic!` gives one of these two types.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests;
