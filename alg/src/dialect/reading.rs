//! How a gateway reads.

use serde::{Deserialize, Serialize};

/// Where in a segment a keyword may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeywordPosition {
    /// At the first byte of a segment, whatever came before.
    SegmentStart,
    /// At the first byte of a segment, if the byte before it in the stream ended a line.
    LineStartOfSegment,
    /// At the start of any line, also in the middle of a segment.
    AnyLineStart,
    /// Anywhere, also in the middle of a word.
    Anywhere,
    /// At the first byte of a segment whose sequence number is one of the last two at which, in its direction, a
    /// segment ended with a newline (Linux `nf_conntrack_ftp`, `find_nl_seq`). So a direction's first segment is not
    /// read, nor one that follows a piece of a line; a retransmission is read while its number is remembered.
    AfterRememberedNewline,
    /// At the first byte of a segment, if the last one that came before it, from either end, ended with `\r\n`; the
    /// connection's first segment is read (`FreeBSD` libalias, `WAIT_CRLF`: one flag for both directions).
    AfterCrlfSegment,
    /// At the first byte of a segment, if the last one that came before it in its direction ended with `\r\n`; a
    /// direction's first segment is not read (Realtek's libalias, `LINK_LAST_LINE_CRLF_TERMED`, which starts clear).
    AfterOwnCrlfSegment,
    /// Anywhere, known by all but its first letter, and a reply by ` Entering` besides: the segment's first `ORT` counts
    /// or, where there is none, its first `27 Entering`. Nothing behind a NUL is seen, and where the first one cannot be
    /// read no other is tried (libslirp, `tcp_emu`).
    TailAnywhere,
}

/// Which letters a keyword may be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LetterCase {
    /// `PORT`, `port`, `PoRt`.
    Any,
    /// `PORT` only.
    Upper,
    /// `PORT` or `port`.
    UpperOrLower,
}

/// What an octet over 255 is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Octets {
    /// The announcement is malformed.
    Malformed,
    /// Taken modulo 256.
    Modulo256,
    /// Shifted to its place as it is, so that what is over 255 falls into the number to its left (Linux `try_rfc959`,
    /// libslirp `tcp_emu`).
    Unchecked,
}

/// What must follow the announcement's last digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineEnd {
    /// `\r\n`, in the same segment.
    Crlf,
    /// The same; one octet that is no digit may stand before it, and behind that a parenthesis (ipfilter,
    /// `ipf_p_ftp_port`).
    CrlfBehindOctet,
    /// `\r`, in the same segment.
    Cr,
    /// `\r` or `\n`, in the same segment.
    CrOrLf,
    /// Any byte but a digit, in the same segment.
    NonDigit,
    /// `\r\n`, and the segment ends with it (Check Point).
    CrlfEndsSegment,
    /// Nothing: the segment may end with the digits.
    None,
}

/// What becomes of a segment whose announcement cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Malformed {
    /// It passes as it is.
    Pass,
    /// It is dropped.
    Drop,
    /// The control connection is ended on both sides.
    EndSession,
}

/// What an announced address means that is not the sender's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThirdParty {
    /// Left alone, no forward (RFC 6384 §7).
    Pass,
    /// Rewritten, and the forward leads to the address that was announced (the hole of CVE-2001-0405).
    Accept,
    /// Rewritten, and the forward leads to the sender.
    UseSender,
    /// The segment is dropped.
    Drop,
    /// The segment is dropped, unless the address is the one that the sender has to the other end: that is as good as
    /// its own (Open vSwitch, `process_ftp_ctl_v4`).
    DropUnlessExternal,
    /// The control connection is ended on both sides.
    EndSession,
}

/// What an announcement of a port means that the dialect refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusedPort {
    /// Left alone, no forward.
    Pass,
    /// The segment is dropped, and a forward at port 0, that nothing gets to, takes the place of one that waits (Linux,
    /// `nf_nat_ftp`).
    Drop,
    /// The control connection is ended on both sides.
    EndSession,
    /// The announcement names the router's address, and no forward is there (ipfilter, `ipf_p_ftp_addport`).
    RewriteOnly,
}

/// What an announcement of port 0 means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortZero {
    /// As any other port.
    Accept,
    /// Left alone, no forward.
    Pass,
    /// The segment is dropped.
    Drop,
    /// The control connection is ended on both sides.
    EndSession,
    /// The announcement names the router's address, and no forward is there (ipfilter, `ipf_p_ftp_addport`).
    RewriteOnly,
}

/// What a line means that is longer than the gateway's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LongLine {
    /// Nothing: it is read like any other.
    Read,
    /// It announces nothing.
    Unread,
    /// The control connection is ended on both sides.
    EndSession,
}

/// What is done with what the opener of a connection says before anything has come from the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BeforeAnswer {
    /// It is read like all else.
    Read,
    /// It passes unread.
    Pass,
}

/// What a port 0 in an EPRT or 229 is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExtendedPortZero {
    /// An announcement of port 0, as in a PORT.
    Announced,
    /// No port at all.
    Malformed,
}

/// Which end of a connection has the control port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlPortEnd {
    /// The end that accepted it.
    Server,
    /// Either (libslirp, `tcptos`).
    Either,
}

/// Which side's announcements the gateway puts into its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnnouncementsFrom {
    /// Those from the inside, which need a forward.
    Inside,
    /// Also those from the outside: they announce what is reachable as it stands, and leave with the same endpoint in
    /// the gateway's words (Linux `nf_nat_ftp` rewrites whatever it matched).
    EitherSide,
}

/// Whose commands are made unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskCommandsFrom {
    /// Those of clients behind the router.
    Inside,
    /// Those of clients outside, to servers behind the router (SMC 7004BR).
    Outside,
    /// Both.
    EitherSide,
}

/// Which 227 and 229 replies are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RepliesRead {
    /// All.
    Any,
    /// The reply to a PASV or EPSV that is the client's last command.
    Asked,
}

/// What a command means that the server sends, or a 227 or 229 that the client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WrongRole {
    /// Nothing.
    Ignore,
    /// What it means from the other end (libslirp, which does not know who is the client).
    Read,
    /// The control connection is ended on both sides.
    EndSession,
}

/// What is done about what a strict reader takes for an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strictness {
    /// Nothing.
    Ignore,
    /// The control connection is ended on both sides.
    EndSession,
}

/// What a segment is that ends inside a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CutKeyword {
    /// Nothing that announces.
    Pass,
    /// A malformed announcement, if the keyword's beginning is all of it (Linux `find_pattern`).
    Malformed,
}

/// Where a command's argument begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Argument {
    /// Behind one blank or more.
    AfterBlanks,
    /// Behind one blank (Linux 2.2, ipfilter).
    AfterOneBlank,
    /// Behind white space of any kind, or none (libalias, libslirp).
    AfterOptionalBlanks,
    /// Behind the first blank that follows, whatever stands before it (Linux `find_pattern`).
    AfterFirstBlank,
    /// At the first digit behind the first blank that follows (Open vSwitch).
    FirstDigit,
    /// Behind the line's last blank (`OpenBSD` ftp-proxy).
    AfterLastBlank,
}

/// How far the search for an argument goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reaches {
    /// To the line's end.
    Line,
    /// To the segment's end, into the lines that follow.
    Segment,
    /// The same, but the segment's last octet is not read at all, so that a number at its end loses a digit (Open
    /// vSwitch, `get_ftp_ctl_msg`, which takes the length for the size of a string).
    SegmentButLastOctet,
}

/// Whether a number may begin with zeros that say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeadingZeros {
    /// It may.
    Accept,
    /// The announcement is malformed.
    Malformed,
    /// In an address the announcement is malformed; a port's numbers may begin so (Open vSwitch, which has `inet_pton`
    /// read the one and counts the digits of the other).
    MalformedInAddress,
}

/// What a missing number is, as in `PORT 10,,,2,4,1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmptyNumbers {
    /// The announcement is malformed.
    Malformed,
    /// Zero.
    Zero,
}

/// Where a 227 or 229 names its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplyScan {
    /// 227: at the first digit behind the code and a blank (RFC 1123 §4.1.2.6). 229: behind the first parenthesis.
    FirstDigit,
    /// At the first digit behind the first blank that follows the code, whatever stands before it; a 229 only where its
    /// delimiters are not read (Open vSwitch).
    FirstDigitBehindBlank,
    /// Behind the first parenthesis.
    Parenthesis,
    /// Behind the line's last parenthesis or blank, if that is a parenthesis.
    LastParenthesis,
    /// Behind the parenthesis of `Entering Passive Mode (` or `Entering Extended Passive Mode (`, word for word.
    Phrase,
}

/// What must follow the endpoint of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplyEnd {
    /// Nothing: the segment may end with it.
    Nothing,
    /// Any byte but a digit, in the same segment.
    AnyOctet,
    /// A parenthesis.
    Parenthesis,
    /// The line's end, before which one parenthesis and one full stop may stand.
    Line,
}

/// What becomes of a control connection on which TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AfterAuthTls {
    /// From the server's 234 on nothing of it is read.
    Stop,
    /// Its octets are read as before.
    GoOn,
}

/// What a line of the client's means that is no FTP command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForeignLines {
    /// Nothing.
    Ignore,
    /// Another protocol is spoken here: from it on nothing of the connection is read.
    StopWatching,
}
