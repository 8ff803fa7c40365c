//! How the program ends: its exit statuses, and the errors that lead to them.

use std::fmt;
use std::process::ExitCode;

use quirknat_router::diagnostic::Diagnostic;

/// Why a command did not end as it should. The exit status is the same everywhere.
#[derive(Debug)]
pub enum Failure {
    /// Something was not as expected; it has been reported. Status 1.
    Unexpected,
    /// Wrong usage or an invalid file. Status 2.
    Usage(anyhow::Error),
    /// An invalid file, and where in it. Status 2.
    Invalid(Box<Diagnostic>),
    /// The environment lacks something: privilege, a device, a program, room. Status 3.
    Environment(anyhow::Error),
}

impl Failure {
    /// Wrong usage, in words.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::Usage(anyhow::anyhow!("{message}"))
    }

    /// What the environment lacks, in words.
    pub fn environment(message: impl fmt::Display) -> Self {
        Self::Environment(anyhow::anyhow!("{message}"))
    }

    /// Its exit status.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Unexpected => 1,
            Self::Usage(_) | Self::Invalid(_) => 2,
            Self::Environment(_) => 3,
        })
    }

    /// What is told on stderr; `None` where the report said it all.
    pub fn message(&self, coloured: bool) -> Option<String> {
        match self {
            Self::Unexpected => None,
            Self::Invalid(diagnostic) if coloured => Some(diagnostic.styled()),
            Self::Invalid(diagnostic) => Some(diagnostic.to_string()),
            Self::Usage(error) | Self::Environment(error) => Some(format!("{error:#}")),
        }
    }
}
