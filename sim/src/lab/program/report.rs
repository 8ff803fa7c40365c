//! What a supervisor tells of its program: one line, after which it ends.

use nix::errno::Errno;

/// The byte that asks for SIGTERM to the whole tree.
pub(crate) const TERMINATE: u8 = b'T';

/// A program's end, as its init saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// With this status.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// The program's execve failed.
    NotStarted(Errno),
    /// There is no PID namespace, or no init in it.
    NotIsolated(Errno),
}

impl Report {
    /// The line.
    pub(crate) fn line(self) -> String {
        match self {
            Self::Exited(status) => format!("exited {status}\n"),
            Self::Signalled(signal) => format!("signalled {signal}\n"),
            Self::NotStarted(errno) => format!("not-started {}\n", errno as i32),
            Self::NotIsolated(errno) => format!("not-isolated {}\n", errno as i32),
        }
    }

    /// Reads the first line. `None` where there is no whole one, or it is none of ours.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (line, _) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
        let (word, number) = line.split_once(' ')?;
        let number = number.parse().ok()?;
        match word {
            "exited" => Some(Self::Exited(number)),
            "signalled" => Some(Self::Signalled(number)),
            "not-started" => Some(Self::NotStarted(Errno::from_raw(number))),
            "not-isolated" => Some(Self::NotIsolated(Errno::from_raw(number))),
            _ => None,
        }
    }

    /// The supervisor's own exit status, as a shell would have it: a signal's death is 128 and the signal.
    pub(crate) fn exit_status(self) -> i32 {
        match self {
            Self::Exited(status) => status,
            Self::Signalled(signal) => 128 + signal,
            Self::NotStarted(Errno::ENOENT) => 127,
            Self::NotStarted(_) | Self::NotIsolated(_) => 126,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_was_reported() {
        for report in [
            Report::Exited(0),
            Report::Exited(255),
            Report::Signalled(34),
            Report::NotStarted(Errno::ENOEXEC),
            Report::NotIsolated(Errno::EPERM),
        ] {
            assert_eq!(Report::parse(report.line().as_bytes()), Some(report));
        }
    }

    #[test]
    fn anything_else_is_no_report() {
        for bytes in [&b""[..], b"exited 0", b"exited\n", b"exited x\n", b"left 0\n", b"\xff 0\n"] {
            assert_eq!(Report::parse(bytes), None);
        }
    }
}
