//! Why a scenario cannot be played.

use smoltcp::time::Duration;

use crate::host::{ProgramEnd, ProgramFailure};

/// How much of a program's stderr is told: its end.
const TOLD: usize = 2000;

/// Why a scenario cannot be played: the ground, or a program that a host needs, is not as it must be.
#[derive(Debug, thiserror::Error)]
pub enum PlayError<E> {
    /// The ground.
    #[error(transparent)]
    Ground(E),
    /// A host's program does not start.
    #[error("host `{host}`: {source}")]
    Start {
        /// The host.
        host: String,
        /// Why not.
        source: ProgramFailure,
    },
    /// A host's program ended too early.
    #[error("host `{host}`: `{command}` {how} before it listened on port {port}; {stderr}")]
    Ended {
        /// The host.
        host: String,
        /// The program and its arguments.
        command: String,
        /// Its port.
        port: u16,
        /// How it ended.
        how: String,
        /// What it wrote to stderr.
        stderr: String,
    },
    /// A host's program does not listen.
    #[error(
        "host `{host}`: `{command}` runs, and does not listen on port {port} after {} s: is that its port?",
        patience.secs()
    )]
    Silent {
        /// The host.
        host: String,
        /// The program and its arguments.
        command: String,
        /// Its port.
        port: u16,
        /// How long it was given.
        patience: Duration,
    },
}

impl<E> PlayError<E> {
    pub(super) fn ended(host: &str, command: &[String], port: u16, end: &ProgramEnd) -> Self {
        let how = match &end.status {
            Ok(status) => format!("ended with status {status}"),
            Err(how) => how.clone(),
        };
        let text = String::from_utf8_lossy(&end.stderr);
        let text = text.trim();
        let from = (text.len().saturating_sub(TOLD)..text.len()).find(|at| text.is_char_boundary(*at));
        let stderr = match from.and_then(|from| text.get(from..)) {
            Some(tail) => format!("its stderr ends:\n{tail}"),
            None => "it wrote nothing to stderr".to_owned(),
        };
        Self::Ended { host: host.to_owned(), command: command.join(" "), port, how, stderr }
    }
}
