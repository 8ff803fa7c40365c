//! A page of lines and what becomes of them, and what is said about lines that are wrong.

use etherparse::SlicedPacket;
use insta::assert_snapshot;

use crate::packet_text::{Problem, parse, print};

const PAGE: &str = r#"
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN seq=1000 win=65535 mss=1460 sack-permitted
tcp 192.168.1.100:4321 > 198.51.100.9:21 PSH,ACK seq=1001 ack=5001 "PORT 192,168,1,100,16,225\r\n"
tcp 198.51.100.9:21 > 192.168.1.100:4321 ACK,SYN ack=0x3e9 mss=1460 nop wscale=7 nop nop timestamps=1:2
tcp 198.51.100.9:21 > 192.168.1.100:4321 ACK ack=1001 nop nop sack=1100:1200,1300:1400
tcp 198.51.100.9:21 > 192.168.1.100:4321 URG,ACK urg=1 win=0 "\xf2ABOR\r\n"
tcp 198.51.100.9:21 > 192.168.1.100:4321 none checksum=bad ttl=1
tcp 198.51.100.9:21 > 192.168.1.100:4321 FIN,SYN,RST,PSH,ACK,URG,ECE,CWR,NS tcp-options=0xfd040102
tcp 198.51.100.9:21 > 192.168.1.100:4321 SYN tcp-options=0x020405b4
tcp 192.168.1.100:4321 > 198.51.100.9:21 seq=7 length=100 cut=28
udp 10.0.0.1:5000 > 198.51.100.9:53 ttl=5 "hello"
udp 10.0.0.1:5000 > 198.51.100.9:53 "" checksum=none
udp 10.0.0.1:5000 > 198.51.100.9:53 length=1400 df tos=0xb8 ip-options=0x94040000
udp 10.0.0.1:5000 > 198.51.100.9:53 ip-id=77 fragment=0+ udp-length=2000 checksum=0x1234 length=32
ip proto=17 10.0.0.1 > 198.51.100.9 ip-id=77 fragment=1480 "the rest"
udp 10.0.0.1:5000 > 198.51.100.9:53 hex "00 ff 80 81" ip-checksum=bad total-length=1500
udp 10.0.0.1:5000 > 198.51.100.9:53 "a \"quoted\" \\ star * tab\t caf\xc3\xa9 é"
icmp 192.168.1.100 > 198.51.100.9 echo-request id=7 seq=1 length=56
icmp 198.51.100.9 > 192.168.1.100 0/0 id=7 seq=1 checksum=0xffff
icmp 203.0.113.1 > 192.168.1.100 time-exceeded quoting (udp 192.168.1.100:4000 > 198.51.100.9:53)
icmp 203.0.113.1 > 192.168.1.100 11/1 quoting (tcp 192.168.1.100:4000 > 198.51.100.9:21 ACK seq=9 length=1400 cut=28)
icmp 203.0.113.1 > 192.168.1.100 destination-unreachable/fragmentation-needed mtu=1400 quoting (udp 192.168.1.100:4000 > 198.51.100.9:53 df length=1472 cut=28)
icmp 203.0.113.1 > 192.168.1.100 destination-unreachable quoting (icmp 192.168.1.100 > 198.51.100.9 echo-request id=1)
icmp 203.0.113.1 > 192.168.1.100 destination-unreachable/99 rest=5 "not a packet"
icmp 203.0.113.1 > 192.168.1.100 redirect/host gateway=192.168.1.2
icmp 203.0.113.1 > 192.168.1.100 parameter-problem pointer=20
icmp 203.0.113.1 > 192.168.1.100 200/3 rest=0xdeadbeef
ip proto=47 10.0.0.1 > 10.0.0.2 hex "00000800"
ip proto=6 10.0.0.1 > 10.0.0.2 "too short"
hex "450000140000000040000000"
hex ""
"#;

#[test]
fn each_line_has_one_canonical_form() {
    let lines = PAGE.lines().filter(|line| !line.is_empty());
    let page: Vec<_> = lines.map(|line| format!("{line}\n  {}", print(&parse(line).unwrap()))).collect();
    assert_snapshot!(page.join("\n"));
}

const WRONG: &str = r#"

tpc 10.0.0.1:1 > 10.0.0.2:2 SYN
tcp
tcp 192.168.1.100:4321 > 198.51.100.9 SYN
tcp 192.168.1.100:4321 198.51.100.9:21 SYN
tcp 192.168.1.100:4321 > SYN
tcp > 198.51.100.9:21 SYN
tcp 192.168.1.300:4321 > 198.51.100.9:21 SYN
tcp 192.168.1.100:65536 > 198.51.100.9:21 SYN
tcp 192.168.1.100:* > 198.51.100.9:21 SYN
tcp 192.168.1.100:4321 > 198.51.100.9:21
tcp 192.168.1.100:4321 > 198.51.100.9:21 syn
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN,AKC
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN,SYN
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN ACK
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN sqe=1
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN seq=4294967296
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN seq=+1
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN seq=
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN ttl
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN df=1
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN ttl=256
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN ttl=1 ttl=1
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN mss=70000
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN sack=1-2
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN sack=1:2,3:4,5:6,7:8 timestamps=1:2
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN tcp-options=0x01010101 mss=1460
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN tcp-options=0x0101
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN mtu=1400
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN checksum=none
tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN fragment=1480
udp 10.0.0.1:1 > 10.0.0.2:2 SYN
udp 10.0.0.1:1 > 10.0.0.2:2 mss=1460
udp 10.0.0.1:1 > 10.0.0.2:2 fragment=7
udp 10.0.0.1:1 > 10.0.0.2:2 length=65508
udp 10.0.0.1:1 > 10.0.0.2:2 length=65536
udp 10.0.0.1:1 > 10.0.0.2:2 cut=28
udp 10.0.0.1:1 > 10.0.0.2:2 "a" "b"
udp 10.0.0.1:1 > 10.0.0.2:2 "a
udp 10.0.0.1:1 > 10.0.0.2:2 "a\q"
udp 10.0.0.1:1 > 10.0.0.2:2 hex "123"
udp 10.0.0.1:1 > 10.0.0.2:2 hex 1234
udp 10.0.0.1:1 > 10.0.0.2:2 quoting (udp 10.0.0.1:1 > 10.0.0.2:2)
udp 10.0.0.1:1 > 10.0.0.2:2 )
icmp 10.0.0.1:7 > 10.0.0.2 echo-request
icmp 10.0.0.1 > 10.0.0.2
icmp 10.0.0.1 > 10.0.0.2 echo-requst
icmp 10.0.0.1 > 10.0.0.2 time-exceeded/tll
icmp 10.0.0.1 > 10.0.0.2 echo-request mtu=1400
icmp 10.0.0.1 > 10.0.0.2 echo-request id=1 rest=5
icmp 10.0.0.1 > 10.0.0.2 time-exceeded quoting udp
icmp 10.0.0.1 > 10.0.0.2 time-exceeded quoting ()
icmp 10.0.0.1 > 10.0.0.2 time-exceeded quoting (udp 10.0.0.1:1 > 10.0.0.2:2
icmp 10.0.0.1 > 10.0.0.2 time-exceeded quoting (udp 10.0.0.1:1 > 10.0.0.2)
icmp 10.0.0.1 > 10.0.0.2 time-exceeded quoting (hex "45")
ip 10.0.0.1 > 10.0.0.2 "hello"
hex "45" ttl=5
"#;

#[test]
fn what_is_wrong_is_said_and_shown() {
    let page: Vec<_> = WRONG.lines().skip(1).map(explained).collect();
    assert_snapshot!(page.join("\n"));
}

fn explained(line: &str) -> String {
    let error = parse(line).expect_err(line);
    let span = error.span();
    let carets = "^".repeat(span.len().max(1));
    format!("{line}\n{}{carets}\n  {error}", " ".repeat(span.start))
}

#[test]
fn quotes_go_three_deep() {
    let quoting = |depth: usize| {
        let error = "icmp 10.0.0.1 > 10.0.0.2 time-exceeded ";
        let inner = format!("{error}quoting (").repeat(depth);
        format!("{inner}udp 10.0.0.1:1 > 10.0.0.2:2{}", ")".repeat(depth))
    };
    assert_eq!(print(&parse(&quoting(3)).unwrap()), quoting(3));
    assert_eq!(*parse(&quoting(4)).unwrap_err().problem(), Problem::TooDeep { most: 3 });
    assert_eq!(*parse(&quoting(5000)).unwrap_err().problem(), Problem::TooDeep { most: 3 });
}

#[test]
fn the_longest_packet_can_be_written() {
    let line = "udp 10.0.0.1:1 > 10.0.0.2:2 length=65507";
    let packet = parse(line).unwrap();
    assert_eq!(packet.len(), 65535);
    assert_eq!(print(&packet), line);
}

/// etherparse reads back what is built with its headers, and agrees with the checksums that it did not compute.
#[test]
fn another_reader_sees_what_was_written() {
    let packet =
        parse("tcp 10.0.0.1:7 > 10.0.0.2:8 PSH,ACK seq=5 ack=6 win=7 mss=1460 ttl=9 \"odd\"").unwrap();
    let sliced = SlicedPacket::from_ip(&packet).unwrap();
    let (Some(etherparse::NetSlice::Ipv4(ip)), Some(etherparse::TransportSlice::Tcp(tcp))) =
        (sliced.net, sliced.transport)
    else {
        panic!("no TCP");
    };
    let header = ip.header().to_header();
    assert_eq!((header.total_len, header.time_to_live), (47, 9));
    assert_eq!(header.header_checksum, header.calc_header_checksum());
    let tcp_header = tcp.to_header();
    assert_eq!(tcp_header.checksum, tcp_header.calc_checksum_ipv4(&header, tcp.payload()).unwrap());
    assert_eq!(
        (tcp_header.sequence_number, tcp_header.acknowledgment_number, tcp_header.window_size),
        (5, 6, 7)
    );
    assert!(tcp_header.psh && tcp_header.ack && !tcp_header.syn);
    assert_eq!(tcp.payload(), b"odd");
}

/// RFC 768: a checksum that comes out as zero is sent as all ones, because zero says that there is none.
#[test]
fn a_udp_checksum_is_never_zero_by_chance() {
    let datagram = |words: &str| parse(&format!("udp 10.0.0.1:1 > 10.0.0.2:2 {words}")).unwrap();
    let checksum = |packet: &[u8]| u16::from_be_bytes([packet[26], packet[27]]);
    // With its own checksum as payload, the datagram's comes out as zero.
    let payload = format!("hex \"{:04x}\"", checksum(&datagram("hex \"0000\"")));
    assert_eq!(checksum(&datagram(&payload)), 0xffff);
    assert_eq!(checksum(&datagram(&format!("{payload} checksum=bad"))), 1);
    assert_eq!(checksum(&datagram(&format!("{payload} checksum=none"))), 0);
}

#[test]
fn a_checksum_ends_where_the_packet_does() {
    let start = "udp 10.0.0.1:1 > 10.0.0.2:2 ip-options=0x94040000";
    let plain = parse(&format!("{start} hex \"0102\"")).unwrap();
    let padded = parse(&format!("{start} hex \"0102ffff\" total-length=34 udp-length=10")).unwrap();
    assert_eq!((plain.len(), padded.len()), (34, 36));
    assert_eq!(padded[..34], plain);
}
