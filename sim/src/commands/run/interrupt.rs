//! SIGINT and SIGTERM during a run: the first one ends it in order, a second one at once.

use crossbeam_channel::{Receiver, bounded};
use nix::sys::signal::{SigSet, Signal};

use crate::exit::Failure;

/// From now on these signals arrive as a message. To be called before any other thread is started.
pub(in crate::commands) fn listen() -> Result<Receiver<()>, Failure> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    signals.thread_block().map_err(Failure::environment)?;
    let (sender, receiver) = bounded(1);
    let listen = move || {
        if signals.wait().is_ok() && sender.send(()).is_ok() {
            // The thread that can be interrupted now is this one: the next signal does what signals do.
            let _ = signals.thread_unblock();
        }
        loop {
            std::thread::park();
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(listen).map_err(Failure::environment)?;
    Ok(receiver)
}
