//! What the tests share: a plain dialect, and a conversation to try it on.

use std::net::Ipv4Addr;

use crate::*;

pub(crate) const SENDER: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 100);
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
/// The router's own, on the WAN.
pub(crate) const EXTERNAL: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);

/// Lenient in nothing, careful in nothing: PORT at the start of any segment.
pub(crate) fn dialect() -> Dialect {
    Dialect {
        control_ports: vec![21],
        control_port_end: ControlPortEnd::Server,
        commands: vec![Command::Port],
        announcements_from: AnnouncementsFrom::Inside,
        replies_read: RepliesRead::Any,
        before_answer: BeforeAnswer::Read,
        wrong_role: WrongRole::Ignore,
        pipelining: Strictness::Ignore,
        keyword_position: KeywordPosition::SegmentStart,
        cut_keyword: CutKeyword::Pass,
        payload_lengths: Range::ALL,
        octets_read: 0,
        after_login: false,
        letter_case: LetterCase::Any,
        argument: Argument::AfterBlanks,
        reaches: Reaches::Line,
        octets: Octets::Malformed,
        leading_zeros: LeadingZeros::Accept,
        empty_numbers: EmptyNumbers::Malformed,
        line_end: LineEnd::Crlf,
        extended_line_end: LineEnd::Crlf,
        trailing_octets: u16::MAX,
        reply_scan: ReplyScan::FirstDigit,
        reply_end: ReplyEnd::Nothing,
        extended_reply_end: ReplyEnd::Nothing,
        malformed: Malformed::Pass,
        third_party: ThirdParty::Pass,
        refused_ports: vec![Range { first: 1, last: 1023 }],
        refused_port: RefusedPort::Pass,
        port_zero: PortZero::Pass,
        extended_port_zero: ExtendedPortZero::Announced,
        announced_address: AnnouncedAddress::External,
        rest_of_segment: RestOfSegment::Keep,
        extended_delimiter: ExtendedDelimiter::Keep,
        extended_address: ExtendedAddress::Dots,
        mask_commands: Vec::new(),
        mask_commands_from: MaskCommandsFrom::Inside,
        after_auth_tls: AfterAuthTls::GoOn,
        foreign_lines: ForeignLines::Ignore,
        data_port: DataPort::Same,
        data_port_taken: PortTaken::AnyUse,
        data_port_conflict: DataPortConflict::Allocated,
        data_port_tries: 1,
        no_data_port: NoDataPort::Pass,
        repeated: Repeated::Refresh,
        sequence_numbers: SequenceNumbers::ExactMap,
        terms: Terms {
            allowed_peer: AllowedPeer::Peer,
            lifetime: 300,
            connections: 1,
            outstanding: 1,
            ends_with_control: true,
        },
        control_outlives: ControlOutlives::Nothing,
        rewrites_remembered: 8,
        adjust_sack: true,
        adjust_icmp_errors: false,
        begins_anew: BeginsAnew::OnSyn,
        reassembly: Reassembly::Segment,
        line_limit: 512,
        long_line: LongLine::Read,
        gaps: Gaps::Drop,
        oversize: Oversize::Truncate,
    }
}

/// The client's segment, on the LAN.
pub(crate) fn from_client(bytes: &[u8]) -> Segment<'_> {
    Segment {
        bytes,
        sequence: 1000,
        read_from: 0,
        role: Role::Client,
        side: Side::Inside,
        sender: SENDER,
        external: EXTERNAL,
        client_port: 1024,
        server_port: 21,
    }
}

/// A segment of a server on the LAN.
pub(crate) fn from_server(bytes: &[u8]) -> Segment<'_> {
    Segment { role: Role::Server, ..from_client(bytes) }
}

/// What the dialect does with a segment that nothing came before.
pub(crate) fn decide(dialect: &Dialect, segment: &Segment<'_>) -> Option<Decision> {
    first(Dialogue::default().read(dialect, segment))
}

/// The first decision, if there is any.
pub(crate) fn first(decisions: Vec<Decision>) -> Option<Decision> {
    decisions.into_iter().next()
}

/// A conversation between a client on the LAN and a server outside, or the other way round.
pub(crate) struct Talk {
    pub(crate) dialect: Dialect,
    pub(crate) dialogue: Dialogue,
    pub(crate) server_port: u16,
    inside: Role,
    next: [u32; 2],
}

impl Talk {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self::with_inside(dialect, Role::Client)
    }

    pub(crate) fn with_inside(dialect: Dialect, inside: Role) -> Self {
        let mut dialogue = Dialogue::default();
        dialogue.begin(&dialect, Role::Client, 1000);
        dialogue.begin(&dialect, Role::Server, 5000);
        Self { dialect, dialogue, server_port: 21, inside, next: [1000, 5000] }
    }

    /// The greeting and the login.
    pub(crate) fn logged_in(dialect: Dialect) -> Self {
        let mut talk = Self::new(dialect);
        talk.log_in();
        talk
    }

    pub(crate) fn log_in(&mut self) {
        self.reply("220 ready\r\n");
        for (command, reply) in [("USER u\r\n", "331 and?\r\n"), ("PASS p\r\n", "230 in\r\n")] {
            self.say(command);
            self.reply(reply);
        }
    }

    pub(crate) fn say(&mut self, text: impl AsRef<[u8]>) -> Option<Decision> {
        first(self.send(Role::Client, text.as_ref()))
    }

    pub(crate) fn reply(&mut self, text: impl AsRef<[u8]>) -> Option<Decision> {
        first(self.send(Role::Server, text.as_ref()))
    }

    /// The client's segment again: all of it may be read.
    pub(crate) fn say_again(&mut self, text: &str) -> Option<Decision> {
        self.go_back(text.len());
        self.say(text)
    }

    /// The client's next segment repeats its last `octets`.
    pub(crate) fn go_back(&mut self, octets: usize) {
        self.next[0] -= u32::try_from(octets).unwrap();
    }

    pub(crate) fn send(&mut self, role: Role, bytes: &[u8]) -> Vec<Decision> {
        let next = &mut self.next[usize::from(role == Role::Server)];
        let side = if role == self.inside { Side::Inside } else { Side::Outside };
        let (sender, external) = if side == Side::Inside { (SENDER, EXTERNAL) } else { (SERVER, SERVER) };
        let (sequence, server_port) = (*next, self.server_port);
        let segment = Segment { sequence, role, side, sender, external, server_port, ..from_client(bytes) };
        *next += u32::try_from(bytes.len()).unwrap();
        self.dialogue.read(&self.dialect, &segment)
    }
}

#[track_caller]
pub(crate) fn reason(decision: Option<Decision>) -> LeftAlone {
    match decision {
        Some(Decision::LeaveAlone { reason, .. }) => reason,
        other => panic!("expected it to be left alone, got {other:?}"),
    }
}

#[track_caller]
pub(crate) fn opened(decision: Option<Decision>) -> Opening {
    match decision {
        Some(Decision::Open(opening)) => opening,
        other => panic!("expected a forward, got {other:?}"),
    }
}
