//! Why an announcement was left alone, or its segment refused.

use std::fmt;

use serde::Serialize;

/// Why an announcement passed untouched and no forward was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftAlone {
    /// The control connection's port is not among the dialect's control ports.
    NotAControlPort,
    /// It came from outside: what it announces is reachable as it stands.
    SentFromOutside,
    /// The dialect does not rewrite this command.
    CommandNotInDialect,
    /// The keyword stands where the dialect does not look.
    KeywordPosition,
    /// The keyword's letters are not those the dialect knows.
    LetterCase,
    /// It cannot be read, and the dialect passes such a segment.
    Malformed(SyntaxFault),
    /// It announces an address that is not the sender's.
    ThirdPartyAddress,
    /// It announces a port that nothing is opened for.
    RefusedPort,
    /// It announces port 0.
    PortZero,
    /// The server has not let the client in yet.
    BeforeLogin,
    /// TLS has begun: what looks like an announcement is none.
    Encrypted,
    /// The client has said what is no FTP command: what looks like an announcement is none.
    Foreign,
    /// A reply to what the client did not ask.
    Unasked,
    /// Its segment is longer or shorter than those the dialect reads.
    SegmentLength,
    /// Its line is longer than the gateway has room for.
    LongLine,
    /// The external port is taken and the dialect takes no other.
    DataPortTaken,
    /// No external port is left.
    NoPortLeft,
    /// The rewritten segment would be larger than the link's MTU.
    WouldExceedMtu,
}

/// Why an announcement's segment was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refused {
    /// It cannot be read.
    Malformed(SyntaxFault),
    /// It announces an address that is not the sender's.
    ThirdPartyAddress,
    /// It announces a port that nothing is opened for.
    RefusedPort,
    /// It announces port 0.
    PortZero,
    /// A command from the server, or a reply from the client.
    WrongRole,
    /// A command before the last one was answered.
    Pipelined,
    /// No external port is left for it.
    NoDataPort,
    /// A line is longer than the gateway has room for.
    LongLine,
}

/// What is wrong with an announcement's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SyntaxFault {
    /// The segment ends before the announcement does.
    CutOff,
    /// A number is missing, or something else stands in its place.
    NotANumber,
    /// A number is over 255, or a port over 65535.
    NumberTooLarge,
    /// What follows the last digit is not the line end the dialect wants.
    LineEnd,
    /// A number begins with a zero that says nothing.
    LeadingZero,
    /// An EPRT of another address family than IPv4.
    OtherAddressFamily,
    /// More octets follow it than the dialect allows.
    TrailingOctets,
    /// Its port is 0.
    PortZero,
}

impl fmt::Display for LeftAlone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAControlPort => formatter.write_str("the control port is not one the gateway watches"),
            Self::SentFromOutside => formatter.write_str("it was sent from outside"),
            Self::CommandNotInDialect => formatter.write_str("the gateway does not rewrite this command"),
            Self::KeywordPosition => {
                formatter.write_str("the keyword stands where the gateway does not look")
            }
            Self::LetterCase => formatter.write_str("the keyword is not in the letters the gateway knows"),
            Self::Malformed(fault) => write!(formatter, "it is malformed: {fault}"),
            Self::ThirdPartyAddress => formatter.write_str("the address is not the sender's"),
            Self::RefusedPort => formatter.write_str("the port is one that the gateway opens nothing for"),
            Self::PortZero => formatter.write_str("the port is 0"),
            Self::BeforeLogin => formatter.write_str("the client is not logged in"),
            Self::Encrypted => formatter.write_str("TLS has begun on the control connection"),
            Self::Foreign => formatter.write_str("the client has said what is no FTP command"),
            Self::Unasked => formatter.write_str("the client did not ask for it"),
            Self::LongLine => formatter.write_str("its line is longer than the gateway has room for"),
            Self::SegmentLength => formatter.write_str("the gateway does not read segments of this length"),
            Self::DataPortTaken => formatter.write_str("the external port is taken"),
            Self::NoPortLeft => formatter.write_str("no external port is left"),
            Self::WouldExceedMtu => formatter.write_str("the rewritten segment would exceed the link's MTU"),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(fault) => write!(formatter, "the announcement is malformed: {fault}"),
            Self::ThirdPartyAddress => formatter.write_str("the announced address is not the sender's"),
            Self::RefusedPort => {
                formatter.write_str("the announced port is one that the gateway opens nothing for")
            }
            Self::PortZero => formatter.write_str("the announced port is 0"),
            Self::WrongRole => formatter.write_str("it is not for the end that said it to say"),
            Self::NoDataPort => formatter.write_str("no external port is left for it"),
            Self::LongLine => formatter.write_str("a line is longer than the gateway has room for"),
            Self::Pipelined => formatter.write_str("a command came before the last one was answered"),
        }
    }
}

impl fmt::Display for SyntaxFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::CutOff => "the segment ends inside it",
            Self::NotANumber => "a number is missing",
            Self::NumberTooLarge => "a number is too large",
            Self::LineEnd => "it does not end as the gateway wants it",
            Self::LeadingZero => "a number begins with a zero",
            Self::OtherAddressFamily => "it is not of the IPv4 family",
            Self::TrailingOctets => "too much follows it",
            Self::PortZero => "its port is 0",
        })
    }
}
