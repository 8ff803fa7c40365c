//! What a pattern looks at, and what it says where it does not hold.

use insta::assert_snapshot;

use crate::packet_text::{Pattern, parse};

const SYN: &str = "tcp 203.0.113.7:1024 > 198.51.100.9:21 SYN seq=1000 mss=1460 nop wscale=7 df";
const PORT: &str =
    r#"tcp 203.0.113.7:1024 > 198.51.100.9:21 PSH,ACK seq=1 ack=9 ttl=63 "PORT 203,0,113,7,65,43\r\n""#;
const QUERY: &str = "udp 203.0.113.7:5000 > 198.51.100.9:53 \"a*b\"";
const ERROR: &str = "icmp 203.0.113.1 > 203.0.113.7 destination-unreachable/fragmentation-needed mtu=1400 \
                     quoting (tcp 203.0.113.7:1024 > 198.51.100.9:21 ACK seq=7 length=1460 cut=28)";
const FRAGMENT: &str = "ip proto=17 203.0.113.7 > 198.51.100.9 ip-id=7 fragment=8 \"tail\"";

fn matches(pattern: &str, line: &str) -> bool {
    Pattern::parse(pattern)
        .unwrap_or_else(|error| panic!("{pattern}: {error}"))
        .matches(&parse(line).unwrap())
}

#[test]
fn what_is_written_holds_and_the_rest_is_not_looked_at() {
    for (pattern, line) in [
        ("tcp", SYN),
        ("tcp SYN", SYN),
        ("ip", SYN),
        ("ip proto=6 203.0.113.7 > *", SYN),
        ("ip proto=*", FRAGMENT),
        ("ip fragment=8", FRAGMENT),
        ("ip fragment=*", FRAGMENT),
        ("tcp * > *", SYN),
        ("tcp 203.0.113.7:* > 198.51.100.9:21 SYN", SYN),
        ("tcp 203.0.113.7 > *:21 SYN,*", SYN),
        ("tcp wscale=* df", SYN),
        ("tcp wscale=7 mss=1460 nop", SYN),
        ("tcp ACK,*", PORT),
        ("tcp ttl=63 checksum=ok ip-checksum=ok", PORT),
        (r#"tcp "PORT 203,0,113,7,*\r\n""#, PORT),
        (r#"tcp "*""#, SYN),
        (r#"tcp """#, SYN),
        ("tcp length=24", PORT),
        ("udp \"a\\*b\"", QUERY),
        ("udp checksum=bad", "udp 1.2.3.4:1 > 1.2.3.4:2 checksum=bad"),
        ("udp checksum=none", "udp 1.2.3.4:1 > 1.2.3.4:2 checksum=none"),
        ("udp checksum=bad", "udp 1.2.3.4:1 > 1.2.3.4:2 checksum=5"),
        ("icmp destination-unreachable", ERROR),
        ("icmp destination-unreachable/* mtu=1400", ERROR),
        ("icmp * quoting (tcp 203.0.113.7 > * seq=7)", ERROR),
    ] {
        assert!(matches(pattern, line), "{pattern}\n{line}");
    }
}

#[test]
fn what_is_written_and_does_not_hold_is_a_mismatch() {
    for (pattern, line) in [
        ("udp", SYN),
        ("udp", FRAGMENT),
        ("tcp ACK,*", SYN),
        ("tcp PSH", PORT),
        ("tcp none", SYN),
        ("tcp no-df", SYN),
        ("tcp sack-permitted", SYN),
        ("tcp mss=1400", SYN),
        ("tcp timestamps=*", SYN),
        ("tcp fragment=*", SYN),
        ("ip fragment=0", FRAGMENT),
        ("tcp 203.0.113.7:1025 > *", SYN),
        ("tcp * > 198.51.100.9:22", SYN),
        ("tcp checksum=bad", SYN),
        ("tcp length=23", PORT),
        (r#"tcp """#, PORT),
        ("udp \"a\\*c\"", "udp 1.2.3.4:1 > 1.2.3.4:2 \"axc\""),
        ("udp checksum=bad", "udp 1.2.3.4:1 > 1.2.3.4:2 checksum=none"),
        ("udp checksum=ok", "udp 1.2.3.4:1 > 1.2.3.4:2 checksum=none"),
        ("udp checksum=ok", "udp 1.2.3.4:1 > 1.2.3.4:2 checksum=bad"),
        ("icmp destination-unreachable/port", ERROR),
        ("icmp quoting (tcp SYN)", ERROR),
        ("icmp quoting (udp)", ERROR),
        ("hex \"45\"", SYN),
    ] {
        assert!(!matches(pattern, line), "{pattern}\n{line}");
    }
}

#[test]
fn a_difference_says_what_does_not_hold() {
    let page: Vec<_> = [
        ("tcp 203.0.113.7:* > 198.51.100.9:22 SYN,ACK seq=5 win=* ttl=63 mss=1400 sack-permitted no-df", SYN),
        (r#"tcp PSH,ACK checksum=bad ip-checksum=bad "PORT 192,168,*""#, PORT),
        ("udp length=5", QUERY),
        ("udp", PORT),
        ("icmp time-exceeded quoting (tcp 192.168.1.100:* > * SYN)", ERROR),
        ("icmp", "hex \"00\""),
        ("hex \"4500\"", QUERY),
        ("udp \"\"", QUERY),
        ("udp \"hello*\"", "udp 1.2.3.4:1 > 1.2.3.4:2"),
    ]
    .into_iter()
    .map(|(pattern, line)| {
        let pattern = Pattern::parse(pattern).unwrap();
        format!("{pattern}\n  {}", pattern.difference(&parse(line).unwrap()).unwrap())
    })
    .collect();
    assert_snapshot!(page.join("\n"));
}
