//! A command line and what it means (RFC 959 §5.3).

use std::net::SocketAddrV4;

use crate::ftp::host_port::{HostPortError, parse_extended, parse_host_port};
use crate::ftp::{DataType, Reply, SetupCommand};

/// A command that this server knows, with an argument it can take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    User(String),
    Pass(String),
    /// Taken and not needed: ACCT, ALLO.
    Superfluous,
    /// AUTH with the mechanism TLS (RFC 4217 §4).
    AuthTls,
    /// PBSZ.
    BufferSize,
    /// PROT: whether data connections are TLS from now on.
    Protection(bool),
    Syst,
    Feat,
    Help,
    Noop,
    Quit,
    Abor,
    Type(DataType),
    /// MODE S, STRU F: the only ones there are.
    AsItIs,
    RestartAtZero,
    Pwd,
    /// `None`: CDUP.
    Cwd(Option<String>),
    Port(SocketAddrV4),
    Eprt(SocketAddrV4),
    Pasv,
    Epsv,
    EpsvAll,
    List(Option<String>),
    Nlst(Option<String>),
    Retr(String),
    Stor(String),
    Dele(String),
    Size(String),
}

/// Why a line is not a command that this server can serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommandError {
    /// 500: no such command.
    Unknown,
    /// 501: the argument is missing or malformed.
    Syntax,
    /// 502: a command of RFC 959 or a later one that is not implemented.
    NotImplemented,
    /// 504: a sound argument whose meaning is not implemented.
    Parameter,
    /// 536: a protection level that TLS does not have (RFC 4217 §9).
    Level,
    /// 522: an address family of RFC 2428 other than IPv4.
    Family,
}

/// Commands that exist, but not here.
const ELSEWHERE: [&str; 23] = [
    "ADAT", "APPE", "CCC", "CONF", "ENC", "HOST", "LANG", "MDTM", "MIC", "MKD", "MLSD", "MLST", "OPTS",
    "REIN", "RMD", "RNFR", "RNTO", "SITE", "SMNT", "STAT", "STOU", "XCRC", "XMKD",
];

impl CommandError {
    pub(super) fn reply(self) -> Reply {
        match self {
            Self::Unknown => Reply::new(500, "Unknown command."),
            Self::Syntax => Reply::new(501, "Syntax error in parameters or arguments."),
            Self::NotImplemented => Reply::new(502, "Command not implemented."),
            Self::Parameter => Reply::new(504, "Command not implemented for that parameter."),
            Self::Level => Reply::new(536, "Protection level not supported."),
            Self::Family => Reply::new(522, "Network protocol not supported, use (1)"),
        }
    }
}

impl From<HostPortError> for CommandError {
    fn from(error: HostPortError) -> Self {
        match error {
            HostPortError::Malformed | HostPortError::OutOfRange => Self::Syntax,
            HostPortError::Family => Self::Family,
        }
    }
}

/// Reads a line. The commands that it `lacks` are not implemented.
pub(super) fn parse(line: &str, lacks: &[SetupCommand]) -> Result<Command, CommandError> {
    let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
    let verb = verb.to_ascii_uppercase();
    if lacks.iter().any(|lacking| lacking.verb() == verb) {
        return Err(CommandError::NotImplemented);
    }
    Ok(match verb.as_str() {
        "USER" => Command::User(needed(argument)?),
        "PASS" => Command::Pass(argument.to_owned()),
        "ACCT" | "ALLO" => Command::Superfluous,
        "AUTH" => auth(argument)?,
        "PBSZ" => buffer_size(argument)?,
        "PROT" => protection(argument)?,
        "SYST" => Command::Syst,
        "FEAT" => Command::Feat,
        "HELP" => Command::Help,
        "NOOP" => Command::Noop,
        "QUIT" => Command::Quit,
        "ABOR" => Command::Abor,
        "TYPE" => Command::Type(data_type(argument)?),
        "MODE" => only('S', "BC", argument)?,
        "STRU" => only('F', "RP", argument)?,
        "REST" => restart(argument)?,
        "PWD" | "XPWD" => Command::Pwd,
        "CWD" | "XCWD" => Command::Cwd(Some(needed(argument)?)),
        "CDUP" | "XCUP" => Command::Cwd(None),
        "PORT" => Command::Port(parse_host_port(argument.trim())?),
        "PASV" => Command::Pasv,
        "EPRT" => Command::Eprt(parse_extended(argument.trim())?),
        "EPSV" => extended_passive(argument)?,
        "LIST" => Command::List(optional(argument)),
        "NLST" => Command::Nlst(optional(argument)),
        "RETR" => Command::Retr(needed(argument)?),
        "STOR" => Command::Stor(needed(argument)?),
        "DELE" => Command::Dele(needed(argument)?),
        "SIZE" => Command::Size(needed(argument)?),
        other if ELSEWHERE.contains(&other) => return Err(CommandError::NotImplemented),
        _ => return Err(CommandError::Unknown),
    })
}

fn needed(argument: &str) -> Result<String, CommandError> {
    if argument.trim().is_empty() { Err(CommandError::Syntax) } else { Ok(argument.to_owned()) }
}

/// Options of `ls`, which many clients send, mean nothing here.
fn optional(argument: &str) -> Option<String> {
    let path = argument.trim();
    if path.is_empty() || path.starts_with('-') { None } else { Some(path.to_owned()) }
}

/// TYPE and its second parameter (RFC 959 §5.3.2): A, "A N", I and "L 8" are served.
fn data_type(argument: &str) -> Result<DataType, CommandError> {
    let argument = argument.to_ascii_uppercase();
    let mut words = argument.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some("A"), None | Some("N"), None) => Ok(DataType::Ascii),
        (Some("I"), None, None) | (Some("L"), Some("8"), None) => Ok(DataType::Image),
        (Some("A" | "E"), None | Some("N" | "T" | "C"), None) => Err(CommandError::Parameter),
        (Some("L"), Some(size), None) if size.parse::<u8>().is_ok() => Err(CommandError::Parameter),
        _ => Err(CommandError::Syntax),
    }
}

fn only(served: char, known: &str, argument: &str) -> Result<Command, CommandError> {
    let argument = argument.trim().to_ascii_uppercase();
    let mut letters = argument.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if letter == served => Ok(Command::AsItIs),
        (Some(letter), None) if known.contains(letter) => Err(CommandError::Parameter),
        _ => Err(CommandError::Syntax),
    }
}

/// The mechanisms' names, in any case (RFC 4217 §17).
fn auth(argument: &str) -> Result<Command, CommandError> {
    match argument.trim().to_ascii_uppercase().as_str() {
        "TLS" | "TLS-C" => Ok(Command::AuthTls),
        "" => Err(CommandError::Syntax),
        _ => Err(CommandError::Parameter),
    }
}

/// A number; TLS has use for 0 only, which the reply says (RFC 4217 §9).
fn buffer_size(argument: &str) -> Result<Command, CommandError> {
    argument.trim().parse::<u32>().map(|_| Command::BufferSize).map_err(|_| CommandError::Syntax)
}

fn protection(argument: &str) -> Result<Command, CommandError> {
    match argument.trim().to_ascii_uppercase().as_str() {
        "C" => Ok(Command::Protection(false)),
        "P" => Ok(Command::Protection(true)),
        "S" | "E" => Err(CommandError::Level),
        _ => Err(CommandError::Syntax),
    }
}

fn restart(argument: &str) -> Result<Command, CommandError> {
    match argument.trim().parse::<u64>() {
        Ok(0) => Ok(Command::RestartAtZero),
        Ok(_) => Err(CommandError::Parameter),
        Err(_) => Err(CommandError::Syntax),
    }
}

/// EPSV with a family, or with ALL (RFC 2428 §3 and §4).
fn extended_passive(argument: &str) -> Result<Command, CommandError> {
    match argument.trim() {
        "" | "1" => Ok(Command::Epsv),
        all if all.eq_ignore_ascii_case("ALL") => Ok(Command::EpsvAll),
        family if family.parse::<u8>().is_ok() => Err(CommandError::Family),
        _ => Err(CommandError::Syntax),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_known_in_any_case() {
        assert_eq!(parse("retr Read Me.txt", &[]), Ok(Command::Retr("Read Me.txt".to_owned())));
        assert_eq!(parse("PoRt 1,2,3,4,5,6", &[]), Ok(Command::Port("1.2.3.4:1286".parse().unwrap())));
        assert_eq!(parse("LIST -la", &[]), Ok(Command::List(None)));
    }

    #[test]
    fn each_refusal_has_its_code() {
        for (line, code) in [
            ("", 500),
            ("FROB x", 500),
            ("\u{fffd}\u{fffd}", 500),
            ("RETR", 501),
            ("PORT 1,2,3", 501),
            ("PORT 300,2,3,4,5,6", 501),
            ("TYPE", 501),
            ("TYPE L", 501),
            ("MODE X", 501),
            ("REST -1", 501),
            ("MKD x", 502),
            ("TYPE E", 504),
            ("TYPE L 36", 504),
            ("MODE B", 504),
            ("STRU R", 504),
            ("REST 7", 504),
            ("EPRT |2|::1|99|", 522),
            ("EPSV 2", 522),
        ] {
            assert_eq!(parse(line, &[]).map_err(|error| error.reply().code), Err(code), "{line}");
        }
        assert_eq!(parse("epsv", &[SetupCommand::Epsv]), Err(CommandError::NotImplemented));
    }
}
