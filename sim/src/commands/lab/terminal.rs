//! The user's terminal, which a shell on a host changes and, if it is killed, does not put back.

use std::io;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::{getpgrp, tcgetpgrp, tcsetpgrp};

/// How it was. A shell in a PID namespace of its own cannot give it back: the group it got it from has no number there.
pub(super) struct Terminal {
    settings: Termios,
}

impl Terminal {
    /// `None` where stdin is no terminal, or another group's.
    pub(super) fn remember() -> Option<Self> {
        let stdin = io::stdin();
        let is_own = tcgetpgrp(&stdin).is_ok_and(|group| group == getpgrp());
        tcgetattr(&stdin).ok().filter(|_| is_own).map(|settings| Self { settings })
    }

    /// Makes it this process's group's, and as it was. Not where another group took over, as a shell does when this one
    /// is sent to the background.
    pub(super) fn restore(&self) {
        let stdin = io::stdin();
        let Ok(group) = tcgetpgrp(&stdin) else { return };
        if group != getpgrp() {
            if killpg(group, None) != Err(Errno::ESRCH) {
                return;
            }
            // Who takes it from the background is stopped otherwise.
            let _ = SigSet::from_iter([Signal::SIGTTOU]).thread_block();
            let _ = tcsetpgrp(&stdin, getpgrp());
        }
        let _ = tcsetattr(&stdin, SetArg::TCSANOW, &self.settings);
    }
}
