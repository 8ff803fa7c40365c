//! A router as data: what a profile can say, and the evidence for each thing it says.
//!
//! A profile is a TOML file with one table per subject. Every key is required, so that a file says all that its
//! router does. A value stands alone (`ping = "drop"`) or, as in every built-in profile, with its evidence:
//!
//! ```toml
//! ping = { value = "drop", evidence = "assumed", source = "where from" }
//! ```

mod behaviour;
mod check;
mod evidence;
mod load;
mod translation;

use quirknat_alg::{
    AfterAuthTls, AllowedPeer, AnnouncedAddress, AnnouncementsFrom, Argument, BeforeAnswer, BeginsAnew,
    Command, ControlOutlives, ControlPortEnd, CutKeyword, DataPort, DataPortConflict, Dialect, EmptyNumbers,
    ExtendedAddress, ExtendedDelimiter, ExtendedPortZero, ForeignLines, Gaps, KeywordPosition, LeadingZeros,
    LetterCase, LineEnd, LongLine, Malformed, Mask, MaskCommandsFrom, NoDataPort, Octets, Oversize,
    PortTaken, PortZero, Range, Reaches, Reassembly, RefusedPort, Repeated, RepliesRead, ReplyEnd, ReplyScan,
    RestOfSegment, SequenceNumbers, Strictness, Terms, ThirdParty, WrongRole,
};
use serde::{Deserialize, Serialize};

pub use behaviour::{
    AddressConflict, Filtering, ForeignDestination, FragmentCut, FragmentHandling, GreToldBy,
    HairpinnedErrors, Hairpinning, IcmpErrors, IcmpQuery, Identification, Identifiers, IpOptions, Leases,
    Mapping, MidStream, OnEnd, OwnDontFragment, OwnTypeOfService, PortAllocation, PortConflict, PortRange,
    QuotedSequence, Refresh, Sources, SystemPorts, TcpTracking, TellRefusal, ToWan, UnsolicitedTcp,
    UnsolicitedUdp, WhenFull,
};
pub use evidence::{Evidence, Stated};
pub use load::{Builtin, ProfileError, builtin};
pub use translation::{Icmp, Ip, Nat, OtherProtocols, Ports, Queries, Sessions, Table, Tcp, Timeouts};

/// A router's behaviour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// The name it is chosen by.
    pub name: String,
    /// One line for people: which device and firmware.
    pub title: String,
    /// Address and port translation.
    pub nat: Nat,
    /// External ports.
    pub ports: Ports,
    /// TCP connection tracking.
    pub tcp: Tcp,
    /// ICMP errors.
    pub icmp: Icmp,
    /// How long an idle translation lives.
    pub timeouts: Timeouts,
    /// The translation table.
    pub table: Table,
    /// What the WAN side sees of the router itself.
    pub wan: Wan,
    /// The IPv4 header.
    pub ip: Ip,
    /// IPv4 fragments.
    pub fragments: Fragments,
    /// Forwards a user sets up.
    pub forwards: Forwards,
    /// Services for the LAN.
    pub services: Services,
    /// The application level gateways.
    pub alg: Algs,
}

/// What the WAN side sees of the router itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Wan {
    /// An echo request to the WAN address.
    pub ping: Stated<ToWan>,
    /// A TCP segment to the WAN address that no translation or forward wants, or that filtering refuses.
    pub unsolicited_tcp: Stated<UnsolicitedTcp>,
    /// Likewise a datagram.
    pub unsolicited_udp: Stated<UnsolicitedUdp>,
    /// How long a SYN waits for its answer, in seconds: an outbound SYN for the same connection takes the answer's place
    /// (RFC 5382 REQ-4).
    pub syn_answer_delay: Stated<u32>,
    /// A packet from the WAN to an address that is not the router's. None is passed on.
    pub foreign_destination: Stated<ForeignDestination>,
}

/// IPv4 fragments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fragments {
    /// What is done with them.
    pub handling: Stated<FragmentHandling>,
    /// How long a packet's fragments may take to come, in seconds.
    pub timeout: Stated<u32>,
    /// How many fragments wait at a time, over all packets. With "follow", 0: those that come before their first one are
    /// dropped.
    pub held: Stated<u32>,
    /// How a packet leaves that was put together; without effect unless it is.
    pub cut: Stated<FragmentCut>,
}

/// Forwards a user sets up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Forwards {
    /// How many entries there are.
    pub entries: Stated<u32>,
    /// Whether one host can get all that nothing else wants.
    pub dmz_host: Stated<bool>,
    /// How many triggers there are: ports that open for a host which sends to certain others.
    pub triggers: Stated<u32>,
    /// How long they stay open after the host's last such packet, in seconds.
    pub trigger_lifetime: Stated<u32>,
}

/// Services of the router's for its LAN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Services {
    /// Whether hosts can ask for ports by NAT-PMP (RFC 6886).
    pub nat_pmp: Stated<bool>,
    /// How many ports are open by it at a time.
    pub nat_pmp_forwards: Stated<u32>,
    /// The longest that one is granted at a time, in seconds.
    pub nat_pmp_lifetime: Stated<u32>,
    /// Whether hosts can ask for ports by UPnP (WANIPConnection:1 of an InternetGatewayDevice:1).
    pub upnp_igd: Stated<bool>,
    /// The TCP port of its descriptions and controls.
    pub upnp_igd_port: Stated<u16>,
    /// How many ports are open by it at a time.
    pub upnp_igd_forwards: Stated<u32>,
    /// Which leases it grants.
    pub upnp_igd_leases: Stated<Leases>,
    /// Whether a host can ask for ports that lead to another one.
    pub upnp_igd_other_hosts: Stated<bool>,
}

/// The application level gateways.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Algs {
    /// FTP.
    pub ftp: Ftp,
}

/// The FTP gateway: [`Dialect`], each value with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the field of the same name in quirknat_alg::Dialect or Terms")]
pub struct Ftp {
    pub control_ports: Stated<Vec<u16>>,
    pub control_port_end: Stated<ControlPortEnd>,
    pub commands: Stated<Vec<Command>>,
    pub announcements_from: Stated<AnnouncementsFrom>,
    pub replies_read: Stated<RepliesRead>,
    pub before_answer: Stated<BeforeAnswer>,
    pub wrong_role: Stated<WrongRole>,
    pub pipelining: Stated<Strictness>,
    pub keyword_position: Stated<KeywordPosition>,
    pub cut_keyword: Stated<CutKeyword>,
    pub payload_lengths: Stated<Range>,
    pub octets_read: Stated<u16>,
    pub after_login: Stated<bool>,
    pub letter_case: Stated<LetterCase>,
    pub argument: Stated<Argument>,
    pub reaches: Stated<Reaches>,
    pub octets: Stated<Octets>,
    pub leading_zeros: Stated<LeadingZeros>,
    pub empty_numbers: Stated<EmptyNumbers>,
    pub line_end: Stated<LineEnd>,
    pub extended_line_end: Stated<LineEnd>,
    pub trailing_octets: Stated<u16>,
    pub reply_scan: Stated<ReplyScan>,
    pub reply_end: Stated<ReplyEnd>,
    pub extended_reply_end: Stated<ReplyEnd>,
    pub malformed: Stated<Malformed>,
    pub third_party: Stated<ThirdParty>,
    pub refused_ports: Stated<Vec<Range>>,
    pub refused_port: Stated<RefusedPort>,
    pub port_zero: Stated<PortZero>,
    pub extended_port_zero: Stated<ExtendedPortZero>,
    pub announced_address: Stated<AnnouncedAddress>,
    pub rest_of_segment: Stated<RestOfSegment>,
    pub extended_delimiter: Stated<ExtendedDelimiter>,
    pub extended_address: Stated<ExtendedAddress>,
    pub mask_commands: Stated<Vec<Mask>>,
    pub mask_commands_from: Stated<MaskCommandsFrom>,
    pub after_auth_tls: Stated<AfterAuthTls>,
    pub foreign_lines: Stated<ForeignLines>,
    pub data_port: Stated<DataPort>,
    pub data_port_taken: Stated<PortTaken>,
    pub data_port_conflict: Stated<DataPortConflict>,
    /// The ports that one is drawn from; without effect where none is.
    pub data_port_range: Stated<PortRange>,
    pub data_port_tries: Stated<u16>,
    pub no_data_port: Stated<NoDataPort>,
    pub repeated: Stated<Repeated>,
    pub forward_allowed_peer: Stated<AllowedPeer>,
    pub forward_lifetime: Stated<u32>,
    pub forward_connections: Stated<u16>,
    pub forward_outstanding: Stated<u16>,
    pub forward_ends_with_control: Stated<bool>,
    pub control_outlives: Stated<ControlOutlives>,
    pub sequence_numbers: Stated<SequenceNumbers>,
    pub rewrites_remembered: Stated<u8>,
    pub adjust_sack: Stated<bool>,
    pub adjust_icmp_errors: Stated<bool>,
    pub begins_anew: Stated<BeginsAnew>,
    pub reassembly: Stated<Reassembly>,
    pub line_limit: Stated<u16>,
    pub long_line: Stated<LongLine>,
    pub gaps: Stated<Gaps>,
    pub oversize: Stated<Oversize>,
}

impl Ftp {
    /// The dialect without its evidence.
    pub fn dialect(&self) -> Dialect {
        Dialect {
            control_ports: self.control_ports.value.clone(),
            control_port_end: self.control_port_end.value,
            commands: self.commands.value.clone(),
            announcements_from: self.announcements_from.value,
            replies_read: self.replies_read.value,
            before_answer: self.before_answer.value,
            wrong_role: self.wrong_role.value,
            pipelining: self.pipelining.value,
            keyword_position: self.keyword_position.value,
            cut_keyword: self.cut_keyword.value,
            payload_lengths: self.payload_lengths.value,
            octets_read: self.octets_read.value,
            after_login: self.after_login.value,
            letter_case: self.letter_case.value,
            argument: self.argument.value,
            reaches: self.reaches.value,
            octets: self.octets.value,
            leading_zeros: self.leading_zeros.value,
            empty_numbers: self.empty_numbers.value,
            line_end: self.line_end.value,
            extended_line_end: self.extended_line_end.value,
            trailing_octets: self.trailing_octets.value,
            reply_scan: self.reply_scan.value,
            reply_end: self.reply_end.value,
            extended_reply_end: self.extended_reply_end.value,
            malformed: self.malformed.value,
            third_party: self.third_party.value,
            refused_ports: self.refused_ports.value.clone(),
            refused_port: self.refused_port.value,
            port_zero: self.port_zero.value,
            extended_port_zero: self.extended_port_zero.value,
            announced_address: self.announced_address.value,
            rest_of_segment: self.rest_of_segment.value,
            extended_delimiter: self.extended_delimiter.value,
            extended_address: self.extended_address.value,
            mask_commands: self.mask_commands.value.clone(),
            mask_commands_from: self.mask_commands_from.value,
            after_auth_tls: self.after_auth_tls.value,
            foreign_lines: self.foreign_lines.value,
            data_port: self.data_port.value,
            data_port_taken: self.data_port_taken.value,
            data_port_conflict: self.data_port_conflict.value,
            data_port_tries: self.data_port_tries.value,
            no_data_port: self.no_data_port.value,
            repeated: self.repeated.value,
            terms: Terms {
                allowed_peer: self.forward_allowed_peer.value,
                lifetime: self.forward_lifetime.value,
                connections: self.forward_connections.value,
                outstanding: self.forward_outstanding.value,
                ends_with_control: self.forward_ends_with_control.value,
            },
            control_outlives: self.control_outlives.value,
            sequence_numbers: self.sequence_numbers.value,
            rewrites_remembered: usize::from(self.rewrites_remembered.value),
            adjust_sack: self.adjust_sack.value,
            adjust_icmp_errors: self.adjust_icmp_errors.value,
            begins_anew: self.begins_anew.value,
            reassembly: self.reassembly.value,
            line_limit: self.line_limit.value,
            long_line: self.long_line.value,
            gaps: self.gaps.value,
            oversize: self.oversize.value,
        }
    }
}

#[cfg(test)]
mod tests;
