//! What Linux does with a control connection whose numbers have moved, and with what hangs on it; each function of the
//! kernel's is named. tests/judge plays the same against a kernel.

use quirknat_alg::Refused;
use quirknat_router::event::EventKind;
use quirknat_router::reason::DropReason;

use crate::support::{
    Control, LAN, Lab, PC, SERVER, Seen, WAN, fragmented, icmp_error, tcp, with_ip_checksum, with_ttl,
};

const P: &str = "PORT 192,168,1,100,195,80\r\n";
const REWRITTEN: &str = "PORT 203,0,113,7,195,80\r\n";
const ANNOUNCED: &str = "203.0.113.7:50000";

/// A control connection on which a PORT has become two octets shorter.
fn announced() -> (Lab, Control) {
    let mut lab = Lab::of("linux-netfilter");
    let mut control = Control::open(&mut lab, 21);
    assert_eq!(control.say(&mut lab, P).text(), REWRITTEN);
    control.acknowledge(&mut lab, control.sent - 2);
    lab.events();
    (lab, control)
}

/// `nf_ct_ftp_master` and `nf_conn_seqadj` are parts of the entry, which goes on.
#[test]
fn a_syn_within_a_connection_changes_nothing_and_is_moved() {
    let (mut lab, mut control) = announced();
    let syn = lab.from_lan(tcp(&control.client, &control.server).seq(control.sent + 7).syn().packet());
    assert_eq!(syn.sequence(), control.sent + 5);
    assert_eq!(control.say(&mut lab, "NOOP\r\n").sequence(), control.sent - 6 - 2);
    assert_eq!(
        control.say(&mut lab, P).text(),
        REWRITTEN,
        "it stands behind a newline that is still remembered"
    );
}

/// `nf_ct_seq_adjust`: an acknowledgement without its flag stays; `nf_ct_sack_adjust`: malformed options are not passed.
#[test]
fn flags_and_options_of_a_moved_connection_are_looked_at() {
    let (mut lab, control) = announced();
    let server = || tcp(&control.server, &control.outside).seq(control.replied);
    let malformed = || server().ack(control.sent - 2).options(&[1, 1, 1, 8]).packet();
    assert_eq!(lab.dropped(WAN, malformed()), DropReason::TcpOptionsMalformed);
    let reset = lab.from_wan(server().rst().packet());
    assert_eq!(reset.acknowledgement(), 0);
    let mut fresh = Lab::of("linux-netfilter");
    let control = Control::open(&mut fresh, 21);
    let segment = tcp(&control.server, &control.outside).seq(control.replied).ack(control.sent);
    fresh.from_wan(segment.options(&[1, 1, 1, 8]).packet());
}

/// A packet with another identification. Where a segment has its header's length and its flags, an error has what it quotes
/// of this.
fn identified(identification: u16, mut packet: Vec<u8>) -> Vec<u8> {
    packet[4..6].copy_from_slice(&identification.to_be_bytes());
    with_ip_checksum(packet)
}

/// As if the header had 13 words, and the ACK flag.
const LONG_HEADER: u16 = 0xd510;
/// As if it had five.
const SHORT_HEADER: u16 = 0x5010;

/// The error of code 4 with this next-hop MTU.
fn too_large(mtu: u16, quote: &[u8]) -> Vec<u8> {
    let mut error = icmp_error(&format!("{PC}:0"), &format!("{SERVER}:0"), [3, 4], quote);
    error[26..28].copy_from_slice(&mtu.to_be_bytes());
    let sum = u32::from(!u16::from_be_bytes([error[22], error[23]])) + u32::from(mtu);
    let sum = !u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap();
    error[22..24].copy_from_slice(&sum.to_be_bytes());
    error
}

/// `nf_confirm` has errors moved that go the way the connection was opened: the octets where a segment has its numbers are
/// the next-hop MTU and the first word of the quote, and those where it has its checksum the quote's time to live and protocol.
#[test]
fn an_error_about_a_moved_connection_is_taken_for_a_segment() {
    let (mut lab, mut control) = announced();
    let reply = control.reply(&mut lab, "200 ok\r\n").bytes;
    let quote = identified(LONG_HEADER, reply.clone());
    assert_eq!(lab.dropped(LAN, too_large(1400, &quote[..28])), DropReason::ErrorReadAsSegment);
    let quote = identified(SHORT_HEADER, reply);
    let mut error = too_large(1400, &quote);
    assert_eq!(lab.router.forward(lab.now, LAN, &mut error), Some(WAN));
    assert_eq!(error[26..28], 1398_u16.to_be_bytes(), "two octets less, as of the stream");
    assert_eq!(error[36..38], [quote[8], quote[9] + 2], "what is taken for the checksum follows");
    let seen = Seen { on: WAN, bytes: error };
    assert!(seen.icmp().verify_checksum(), "so that the error's own comes out right again");
    let segment = lab.from_lan(control.segment("NOOP\r\n"));
    let the_other_way = icmp_error(&format!("{SERVER}:0"), "203.0.113.7:0", [3, 3], &segment.bytes);
    lab.from_wan(the_other_way);
}

/// The router's own errors go through `nf_confirm`, too.
#[test]
fn the_routers_own_error_is_taken_for_a_segment() {
    let expired = |control: &Control| {
        let segment = tcp(&control.server, &control.outside).seq(control.replied);
        let segment = segment.ack(control.sent - 2).packet();
        with_ttl(1, identified(LONG_HEADER, segment))
    };
    let (mut lab, control) = announced();
    assert_eq!(lab.dropped(WAN, expired(&control)), DropReason::ErrorReadAsSegment);
    let mut lab = Lab::of("linux-netfilter");
    let control = Control::open(&mut lab, 21);
    assert_eq!(lab.from_wan(expired(&control)).icmp_kind(), [11, 0], "nothing is moved yet");
}

/// `help` looks at nothing until there has been traffic both ways.
#[test]
fn nothing_is_read_before_an_answer() {
    let mut lab = Lab::of("linux-netfilter");
    let (client, server) = (format!("{PC}:1024"), format!("{SERVER}:21"));
    let say = |sequence: u32, text: &str| tcp(&client, &server).seq(sequence).ack(5000).data(text).packet();
    lab.from_lan(say(1000, "NOOP\r\n"));
    assert_eq!(lab.from_lan(say(1006, P)).text(), P, "nothing has come back");
    lab.from_wan(tcp(&server, "203.0.113.7:1024").seq(5000).ack(1033).packet());
    lab.from_lan(say(1033, "NOOP\r\n"));
    assert_eq!(lab.from_lan(say(1039, P)).text(), REWRITTEN);
}

/// `init_conntrack` takes the expectation out before flags and checksum are looked at.
#[test]
fn what_begins_no_connection_uses_a_forward_up() {
    let data = || tcp(&format!("{SERVER}:20"), ANNOUNCED).seq(1);
    let mut damaged = data().syn().packet();
    damaged[36] ^= 1;
    for (wasted, why) in [
        (data().fin().ack(1).packet(), DropReason::Unsolicited),
        (damaged, DropReason::Malformed(quirknat_router::packet::Malformed::TransportChecksum)),
    ] {
        let (mut lab, _) = announced();
        assert_eq!(lab.dropped(WAN, wasted), why);
        assert!(lab.events().iter().any(|event| matches!(event, EventKind::ForwardEnded { .. })));
        lab.dropped(WAN, data().syn().packet());
    }
    let (mut lab, _) = announced();
    assert_eq!(lab.from_wan(data().syn().packet()).to().to_string(), "192.168.1.100:50000");
}

/// `nf_nat_ftp` has an expectation at port 0 take the other's place before it finds that 0 is none.
#[test]
fn a_port_0_closes_the_port_that_was_announced() {
    let (mut lab, control) = announced();
    let dropped = lab.dropped(LAN, control.segment("PORT 192,168,1,100,0,0\r\n"));
    assert_eq!(dropped, DropReason::AnnouncementRefused(Refused::PortZero));
    lab.dropped(WAN, tcp(&format!("{SERVER}:20"), ANNOUNCED).seq(1).syn().packet());
}

/// `__ip_options_echo`, and `ip_send_unicast_reply` for the type of service.
#[test]
fn a_recorded_route_comes_back_with_the_routers_own_answer() {
    let mut lab = Lab::of("linux-netfilter");
    let plain = tcp(&format!("{PC}:1025"), "192.168.1.1:80").seq(1).syn().packet();
    let route = [7, 7, 4, 0, 0, 0, 0, 0];
    let mut packet = [&plain[..20], &route[..], &plain[20..]].concat();
    packet[0] = 0x47;
    packet[1] = 0x61;
    let length = u16::try_from(packet.len()).unwrap();
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    let answer = lab.from_lan(with_ip_checksum(packet));
    assert_eq!(answer.bytes[0], 0x47);
    assert_eq!(answer.bytes[1], 0x60, "without congestion");
    assert_eq!(answer.bytes[20..28], [7, 7, 8, 192, 168, 1, 1, 0]);
    assert!(answer.tcp().rst());
}

/// `nf_conntrack_in` calls a packet with a wrong checksum invalid, and `ip_forward` looks at its time to live before a rule does
/// at that.
#[test]
fn a_wrong_checksum_is_asked_for_last() {
    let mut lab = Lab::of("linux-netfilter");
    let segment = tcp(&format!("{PC}:1025"), &format!("{SERVER}:80")).seq(1).ack(1);
    let mut damaged = with_ttl(1, segment.data("0123456789abcdef").packet());
    damaged[36] ^= 1;
    assert_eq!(lab.from_lan(damaged.clone()).icmp_kind(), [11, 0]);
    let fragments = fragmented(&damaged, 9, 24);
    let answers: Vec<Seen> = fragments.into_iter().flat_map(|fragment| lab.send(LAN, fragment)).collect();
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].icmp_kind(), [11, 0]);
}
