//! The requirements, each with its place and what of it can be tested. RFC 4787 to 5508 number theirs (REQ); the others are
//! named by section.

use serde::Serialize;

/// A requirement upon a NAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Requirement {
    /// Its short name: the RFC's number, and the requirement's or section's.
    pub id: &'static str,
    /// Where it stands.
    pub source: &'static str,
    /// What of it can be tested.
    pub statement: &'static str,
}

macro_rules! requirements {
    ($($id:literal, $source:literal: $statement:literal;)*) => {
        &[$(Requirement { id: $id, source: $source, statement: $statement }),*]
    };
}

/// All of them, in the order of reports.
pub static REQUIREMENTS: &[Requirement] = requirements![
    "4787-1", "RFC 4787 REQ-1": "UDP mapping is endpoint-independent";
    "4787-2", "RFC 4787 REQ-2": "one host has one external address";
    "4787-3", "RFC 4787 REQ-3": "two hosts' UDP ports never share an external one";
    "4787-3a", "RFC 4787 REQ-3a": "UDP ports of 0-1023 stay there, those above stay above";
    "4787-4", "RFC 4787 REQ-4": "an even UDP port gets an even one, an odd an odd one";
    "4787-5", "RFC 4787 REQ-5": "an idle UDP mapping lives 2 minutes at least";
    "4787-6", "RFC 4787 REQ-6": "what goes out refreshes a UDP mapping";
    "4787-7", "RFC 4787 REQ-7": "addresses outside that are also addresses inside do no harm";
    "4787-8", "RFC 4787 REQ-8": "UDP filtering is endpoint-independent or address-dependent";
    "4787-9", "RFC 4787 REQ-9, 9a": "UDP is hairpinned, with the sender's external address and port";
    "4787-10", "RFC 4787 REQ-10": "gateways for applications over UDP are off";
    "4787-11", "RFC 4787 REQ-11": "UDP mapping and filtering are the same under all conditions";
    "4787-12", "RFC 4787 REQ-12": "no ICMP message ends a UDP mapping";
    "4787-13", "RFC 4787 REQ-13, 13a": "a packet too large for the WAN is answered if it has DF, and cut in order if not";
    "4787-14", "RFC 4787 REQ-14": "fragments pass, also out of order";
    "5382-1", "RFC 5382 REQ-1": "TCP mapping is endpoint-independent";
    "5382-2", "RFC 5382 REQ-2, 2a": "every legal handshake works, the simultaneous open too";
    "5382-3", "RFC 5382 REQ-3": "TCP filtering is endpoint-independent or address-dependent";
    "5382-4", "RFC 5382 REQ-4": "an unsolicited SYN gets no answer for 6 seconds, and none if its connection is opened meanwhile";
    "5382-5-established", "RFC 5382 REQ-5": "an established TCP connection may be idle for 2 hours and 4 minutes";
    "5382-5-transitory", "RFC 5382 REQ-5": "one that opens or closes may be idle for 4 minutes";
    "5382-6", "RFC 5382 REQ-6": "gateways for applications over TCP are off, FTP's excepted";
    "5382-7", "RFC 5382 REQ-7": "two hosts' TCP ports never share an external one";
    "5382-8", "RFC 5382 REQ-8, 8a": "TCP is hairpinned, with the sender's external address and port";
    "5382-9", "RFC 5382 REQ-9": "ICMP destination unreachable about a connection is translated";
    "5382-10", "RFC 5382 REQ-10": "no ICMP message ends a connection's mapping";
    "5508-1", "RFC 5508 REQ-1": "ICMP queries to the outside, and their answers, pass";
    "5508-1a", "RFC 5508 REQ-1a": "a query's identifier outside does not depend on whom it goes to";
    "5508-2", "RFC 5508 REQ-2": "an ICMP query's mapping lives 60 seconds at least";
    "5508-3", "RFC 5508 REQ-3": "an ICMP error with a wrong checksum is dropped";
    "5508-4", "RFC 5508 REQ-4": "errors from outside are translated with the packet they quote; without a mapping they are dropped";
    "5508-5", "RFC 5508 REQ-5": "errors from inside are translated with the packet they quote; without a mapping they are dropped";
    "5508-6", "RFC 5508 REQ-6": "an error about a query neither refreshes nor ends its mapping";
    "5508-7", "RFC 5508 REQ-7, 7a": "an ICMP error about a hairpinned datagram is hairpinned";
    "5508-8", "RFC 5508 REQ-8, RFC 6888 REQ-11": "who gets no translation for want of room is told so by code 13, or 1";
    "7857-2.1", "RFC 7857 §2.1": "opening and closing connections may be idle for 4 minutes each";
    "7857-2.2", "RFC 7857 §2.2": "a RST passes, and the mapping stays for 4 minutes";
    "7857-4", "RFC 7857 §4, RFC 6888 REQ-2": "one host has one external address, whatever the protocol";
    "7857-7", "RFC 7857 §7": "a packet from outside that is refused refreshes nothing";
    "7857-10", "RFC 7857 §10, RFC 6864 §5.3.1": "two hosts' fragments cannot be taken for one packet's: identifications differ";
    "7857-12", "RFC 7857 §12, RFC 5508 REQ-7": "an ICMP error about a hairpinned segment is hairpinned";
    "959-3.3", "RFC 959 §3.2, §3.3": "without PORT, the server reaches the client's default data port";
    "959-5.2", "RFC 959 §5.2": "the server's default data port reaches the announced one";
    "1123-4.1.2.6", "RFC 1123 §4.1.2.6": "a 227 reply is read from its first digit, with or without parentheses";
    "2428-2", "RFC 2428 §2": "EPRT may have any delimiter of 33 to 126";
    "2428-3", "RFC 2428 §3": "EPSV's (|||port|) leads to the server's port";
    "2428-4", "RFC 2428 §4": "EPSV ALL and the transfer after it pass as they are";
    "2577-3", "RFC 2577 §3": "no data port under 1024 is opened";
    "2663-7.1", "RFC 2663 §7.1": "sequence numbers follow a line that changed its length";
    "3022-4.4", "RFC 3022 §4.4": "acknowledgements follow a line that changed its length";
    "3027-4.1", "RFC 3027 §4.1": "a line that grows makes no segment larger than the WAN takes";
    "4217", "RFC 6384 §5, RFC 4217 §4": "nothing is edited on a control connection with TLS";
    "6384-5", "RFC 6384 §5": "a command that is split over segments is read";
    "6384-7-mapping", "RFC 6384 §7": "the mapping is there before the rewritten PORT leaves";
    "6384-7-third-party", "RFC 6384 §7": "a third party's address is left alone";
    "6384-12-forward", "RFC 6384 §12": "an announced port waits 30 seconds at least";
    "6384-12-control", "RFC 6384 §12": "the control connection's mapping outlives a long transfer";
];
