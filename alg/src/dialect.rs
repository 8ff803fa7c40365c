//! A gateway's behaviour as data. A router profile fills it in; the code never asks which router it is.
//!
//! The values are those that differ between gateways in the field: Linux `nf_conntrack_ftp` and, before it,
//! `ip_masq_ftp`, `FreeBSD` libalias, libslirp, ipfilter, `OpenBSD` ftp-proxy, Open vSwitch, Check Point, Cisco ASA.

mod opening;
mod range;
mod reading;

pub use opening::{
    AllowedPeer, AnnouncedAddress, ExtendedAddress, ExtendedDelimiter, Gaps, Oversize, RestOfSegment, Terms,
};
pub use range::Range;
pub use reading::{
    AfterAuthTls, AnnouncementsFrom, Argument, BeforeAnswer, ControlPortEnd, CutKeyword, EmptyNumbers,
    ExtendedPortZero, ForeignLines, KeywordPosition, LeadingZeros, LetterCase, LineEnd, LongLine, Malformed,
    MaskCommandsFrom, Octets, PortZero, Reaches, RefusedPort, RepliesRead, ReplyEnd, ReplyScan, Strictness,
    ThirdParty, WrongRole,
};

use crate::acting::{
    BeginsAnew, ControlOutlives, DataPort, DataPortConflict, NoDataPort, PortTaken, Reassembly, Repeated,
    SequenceNumbers,
};
use crate::{Command, Mask, Role};

/// What one gateway recognises, what it does with it, and what the forwards it opens are good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// Ports whose connections are FTP control connections to this gateway. Empty: no gateway at all.
    pub control_ports: Vec<u16>,
    /// Which end of a connection has that port.
    pub control_port_end: ControlPortEnd,
    /// The commands and replies it rewrites.
    pub commands: Vec<Command>,
    /// Which side's.
    pub announcements_from: AnnouncementsFrom,
    /// Which replies it reads.
    pub replies_read: RepliesRead,
    /// What becomes of what the opener of a connection says before anything has come from the other end.
    pub before_answer: BeforeAnswer,
    /// What a command means that the server sends, or a 227 or 229 that the client sends.
    pub wrong_role: WrongRole,
    /// What a command means that comes before the last one was answered.
    pub pipelining: Strictness,
    /// Where a keyword may stand.
    pub keyword_position: KeywordPosition,
    /// What a segment is that ends inside a keyword.
    pub cut_keyword: CutKeyword,
    /// How many octets a segment that is read carries.
    pub payload_lengths: Range,
    /// How many octets of a segment are read; 0: all.
    pub octets_read: u16,
    /// Whether nothing is read before the server's 230.
    pub after_login: bool,
    /// Which letters a keyword may be written in.
    pub letter_case: LetterCase,
    /// Where a command's argument begins.
    pub argument: Argument,
    /// How far a command is read.
    pub reaches: Reaches,
    /// What an octet over 255 is.
    pub octets: Octets,
    /// Whether a number may begin with zeros.
    pub leading_zeros: LeadingZeros,
    /// What a missing number is.
    pub empty_numbers: EmptyNumbers,
    /// What must follow the last digit of a PORT.
    pub line_end: LineEnd,
    /// What must follow the last delimiter of an EPRT.
    pub extended_line_end: LineEnd,
    /// How many octets of the segment may follow an announced endpoint; with more it is malformed.
    pub trailing_octets: u16,
    /// Where a reply names its endpoint.
    pub reply_scan: ReplyScan,
    /// What must follow that of a 227.
    pub reply_end: ReplyEnd,
    /// What must follow the endpoint of a 229.
    pub extended_reply_end: ReplyEnd,
    /// What becomes of a segment whose announcement cannot be read.
    pub malformed: Malformed,
    /// What an address other than the sender's means.
    pub third_party: ThirdParty,
    /// Ports that nothing is opened for (RFC 2577 §3 warns of those below 1024).
    pub refused_ports: Vec<Range>,
    /// What an announcement of one of them means.
    pub refused_port: RefusedPort,
    /// What an announcement of port 0 means.
    pub port_zero: PortZero,
    /// What a port 0 is where the form names no octets.
    pub extended_port_zero: ExtendedPortZero,
    /// Which address the rewritten announcement names.
    pub announced_address: AnnouncedAddress,
    /// What becomes of a segment's other octets when an announcement is rewritten.
    pub rest_of_segment: RestOfSegment,
    /// Which delimiter an EPRT or 229 has.
    pub extended_delimiter: ExtendedDelimiter,
    /// How an EPRT writes its address.
    pub extended_address: ExtendedAddress,
    /// Commands that it makes unreadable, so that the server refuses them.
    pub mask_commands: Vec<Mask>,
    /// Whose.
    pub mask_commands_from: MaskCommandsFrom,
    /// What becomes of a connection on which TLS begins.
    pub after_auth_tls: AfterAuthTls,
    /// What a line of the client's means that is no FTP command.
    pub foreign_lines: ForeignLines,
    /// Which external port the announcement gets.
    pub data_port: DataPort,
    /// What counts as taken.
    pub data_port_taken: PortTaken,
    /// What is tried where the announced one is taken.
    pub data_port_conflict: DataPortConflict,
    /// How many ports are tried in all, where they are drawn; the announced one is the first.
    pub data_port_tries: u16,
    /// What becomes of an announcement for which no port is found.
    pub no_data_port: NoDataPort,
    /// What an announcement does that was made before.
    pub repeated: Repeated,
    /// What a forward opened by an announcement is good for.
    pub terms: Terms,
    /// What the control connection's translation outlives.
    pub control_outlives: ControlOutlives,
    /// How the two ends' numbers are kept apart once lengths have changed.
    pub sequence_numbers: SequenceNumbers,
    /// Rewrites that a direction of a connection remembers.
    pub rewrites_remembered: usize,
    /// Whether SACK blocks follow the rewritten sequence numbers.
    pub adjust_sack: bool,
    /// Whether ICMP errors about a connection whose numbers differ are taken for segments of it, and their octets moved
    /// where a segment has its numbers.
    pub adjust_icmp_errors: bool,
    /// When all that it remembers of a connection is forgotten.
    pub begins_anew: BeginsAnew,
    /// Whether lines are put together from segments.
    pub reassembly: Reassembly,
    /// How long a line may be, in octets with its end. Where lines are put together, a longer one is not waited for.
    pub line_limit: u16,
    /// What a longer one means.
    pub long_line: LongLine,
    /// What becomes of a segment that comes before bytes the gateway has not seen.
    pub gaps: Gaps,
    /// What becomes of a segment that a longer announcement makes larger than the link's MTU.
    pub oversize: Oversize,
}

impl Dialect {
    /// Whether a connection from `client_port` to `server_port` is a control connection to this gateway.
    pub fn watches(&self, client_port: u16, server_port: u16) -> bool {
        let either = self.control_port_end == ControlPortEnd::Either;
        self.control_ports.contains(&server_port) || (either && self.control_ports.contains(&client_port))
    }

    /// Whether it has anything to say of a connection whose `inside` end is on the LAN.
    pub fn handles(&self, inside: Role) -> bool {
        let restates = self.announcements_from == AnnouncementsFrom::EitherSide;
        let masks = !self.mask_commands.is_empty()
            && match self.mask_commands_from {
                MaskCommandsFrom::Inside => inside == Role::Client,
                MaskCommandsFrom::Outside => inside == Role::Server,
                MaskCommandsFrom::EitherSide => true,
            };
        let strict = self.wrong_role == WrongRole::EndSession || self.pipelining == Strictness::EndSession;
        let rewrites = self.commands.iter().any(|command| restates || self.reads_from(inside, *command));
        rewrites || masks || strict
    }

    /// Whether a `command` that `role` sends means anything.
    pub(crate) fn reads_from(&self, role: Role, command: Command) -> bool {
        command.sent_by() == role || self.wrong_role == WrongRole::Read
    }

    /// Whether it takes notice of the lines of a conversation, and not of announcements alone.
    pub(crate) fn follows_lines(&self) -> bool {
        self.after_login
            || self.after_auth_tls == AfterAuthTls::Stop
            || self.foreign_lines == ForeignLines::StopWatching
            || self.replies_read == RepliesRead::Asked
            || self.pipelining == Strictness::EndSession
    }
}
