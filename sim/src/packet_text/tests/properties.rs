//! Whatever the packet, and whatever the octets: their line gives them back.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::string::string_regex;

use smoltcp::wire::{IpProtocol, Ipv4Packet, TcpPacket, UdpPacket};

use crate::packet_text::{Pattern, parse, print};

/// A key that is left out, or stands there with a value.
fn key(name: &'static str, value: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    let stated = value.prop_map(move |value| format!("{name}={value}"));
    prop_oneof![2 => Just(String::new()), 1 => stated].boxed()
}

fn number<T: Arbitrary + ToString + 'static>() -> impl Strategy<Value = String> {
    any::<T>().prop_map(|number| number.to_string())
}

fn checksum() -> impl Strategy<Value = String> {
    prop_oneof![Just("bad".to_owned()), Just("ok".to_owned()), number::<u16>()]
}

fn raw_options() -> impl Strategy<Value = String> {
    vec(any::<u32>(), 1..=5)
        .prop_map(|words| words.iter().fold("0x".to_owned(), |text, word| format!("{text}{word:08x}")))
}

fn address() -> impl Strategy<Value = String> {
    any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string())
}

fn socket() -> impl Strategy<Value = String> {
    any::<std::net::SocketAddrV4>().prop_map(|socket| socket.to_string())
}

fn payload() -> BoxedStrategy<String> {
    let text = string_regex(r#"([ -!#-\[\]-~åß]|\\[rnt"\\*]|\\x[0-9a-f]{2}){0,40}"#).unwrap();
    prop_oneof![
        Just(String::new()),
        text.prop_map(|text| format!("\"{text}\"")),
        vec(any::<u8>(), 0..60)
            .prop_map(|octets| format!("hex \"{}\"", crate::packet_text::print::hex(&octets))),
        (0..2000_usize).prop_map(|length| format!("length={length}")),
    ]
    .boxed()
}

/// The words that every packet can have; fragments of it begin it.
fn ip_words() -> BoxedStrategy<Vec<String>> {
    let words = vec![
        key("ttl", number::<u8>()),
        key("tos", number::<u8>()),
        key("ip-id", number::<u16>()),
        select(vec!["", "df", "no-df"]).prop_map(ToOwned::to_owned).boxed(),
        select(vec!["", "fragment=0+", "fragment=0"]).prop_map(ToOwned::to_owned).boxed(),
        key("ip-options", raw_options()),
        key("total-length", number::<u16>()),
        key("ip-checksum", checksum()),
        // Shorter than any header that is followed by nothing.
        prop_oneof![4 => Just(String::new()), 1 => (0..20_u8).prop_map(|cut| format!("cut={cut}"))].boxed(),
    ];
    words.boxed()
}

fn flags() -> impl Strategy<Value = String> {
    let names = vec!["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "NS"];
    subsequence(names, 0..=9)
        .prop_map(|flags| if flags.is_empty() { "none".to_owned() } else { flags.join(",") })
}

fn tcp_options() -> BoxedStrategy<String> {
    let option = prop_oneof![
        number::<u16>().prop_map(|size| format!("mss={size}")),
        number::<u8>().prop_map(|shift| format!("wscale={shift}")),
        Just("sack-permitted".to_owned()),
        Just("nop".to_owned()),
        any::<(u32, u32)>().prop_map(|(left, right)| format!("sack={left}:{right}")),
        any::<(u32, u32)>().prop_map(|(value, echo)| format!("timestamps={value}:{echo}")),
    ];
    let four_blocks = any::<[(u32, u32); 4]>().prop_map(|blocks| {
        let blocks: Vec<_> = blocks.iter().map(|(left, right)| format!("{left}:{right}")).collect();
        format!("sack={}", blocks.join(","))
    });
    prop_oneof![
        vec(option, 0..=4).prop_map(|options| options.join(" ")),
        four_blocks,
        raw_options().prop_map(|raw| format!("tcp-options={raw}")),
    ]
    .boxed()
}

fn tcp() -> BoxedStrategy<String> {
    let keys = vec![
        key("seq", number::<u32>()),
        key("ack", number::<u32>()),
        key("win", number::<u16>()),
        key("urg", number::<u16>()),
        key("checksum", checksum()),
    ];
    (socket(), socket(), flags(), keys, tcp_options(), ip_words(), payload())
        .prop_map(|(from, to, flags, keys, options, ip, payload)| {
            format!("tcp {from} > {to} {flags} {} {options} {} {payload}", keys.join(" "), ip.join(" "))
        })
        .boxed()
}

fn udp() -> BoxedStrategy<String> {
    let checksum = prop_oneof![checksum().boxed(), Just("none".to_owned()).boxed()];
    let keys = vec![key("udp-length", number::<u16>()), key("checksum", checksum)];
    (socket(), socket(), keys, ip_words(), payload())
        .prop_map(|(from, to, keys, ip, payload)| {
            format!("udp {from} > {to} {} {} {payload}", keys.join(" "), ip.join(" "))
        })
        .boxed()
}

fn kind() -> BoxedStrategy<String> {
    prop_oneof![
        (key("id", number::<u16>()), key("seq", number::<u16>()))
            .prop_map(|(id, seq)| format!("echo-request {id} {seq}")),
        key("mtu", number::<u16>())
            .prop_map(|mtu| format!("destination-unreachable/fragmentation-needed {mtu}")),
        key("gateway", address()).prop_map(|gateway| format!("redirect/host {gateway}")),
        key("pointer", number::<u8>()).prop_map(|pointer| format!("parameter-problem {pointer}")),
        (any::<u8>(), any::<u8>(), key("rest", number::<u32>()))
            .prop_map(|(kind, code, rest)| format!("{kind}/{code} {rest}")),
    ]
    .boxed()
}

fn icmp(payload: BoxedStrategy<String>) -> BoxedStrategy<String> {
    (address(), address(), kind(), key("checksum", checksum()), ip_words(), payload)
        .prop_map(|(from, to, kind, checksum, ip, payload)| {
            format!("icmp {from} > {to} {kind} {checksum} {} {payload}", ip.join(" "))
        })
        .boxed()
}

/// What has no transport header of its own: other protocols, later fragments.
fn ip() -> BoxedStrategy<String> {
    let later = (0..=8191_u16, any::<bool>())
        .prop_map(|(unit, more)| format!("{}{}", unit * 8, if more { "+" } else { "" }));
    (any::<u8>(), address(), address(), option::of(later), ip_words(), payload())
        .prop_map(|(proto, from, to, later, ip, payload)| {
            let words: Vec<_> =
                ip.into_iter().filter(|word| later.is_none() || !word.starts_with("fragment=")).collect();
            let fragment = later.map(|later| format!("fragment={later}")).unwrap_or_default();
            format!("ip proto={proto} {from} > {to} {fragment} {} {payload}", words.join(" "))
        })
        .boxed()
}

fn line() -> BoxedStrategy<String> {
    let plain = prop_oneof![tcp(), udp(), icmp(payload()), ip()].boxed();
    let quoting =
        |inner: BoxedStrategy<String>| icmp(inner.prop_map(|inner| format!("quoting ({inner})")).boxed());
    let once = quoting(plain.clone());
    let twice = quoting(once.clone());
    prop_oneof![6 => plain, 2 => once, 1 => twice].boxed()
}

/// The line without what it states wrongly on purpose.
fn without_faults(line: &str) -> String {
    let faults = ["checksum=", "ip-checksum=", "total-length=", "udp-length=", "cut=", "tcp-options="];
    let words = line.split(' ').filter(|word| !faults.iter().any(|fault| word.starts_with(fault)));
    words.collect::<Vec<_>>().join(" ")
}

proptest! {
    #[test]
    fn a_packets_line_gives_it_back(line in line()) {
        let packet = parse(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let canonical = print(&packet);
        prop_assert_eq!(parse(&canonical).unwrap_or_else(|error| panic!("{canonical}: {error}")), packet.clone());
        prop_assert_eq!(print(&packet), canonical);
    }

    /// A truncated packet is what an ICMP error quotes.
    #[test]
    fn a_cut_packets_line_gives_it_back(line in line(), left in 0..200_usize) {
        let mut packet = parse(&line).unwrap();
        packet.truncate(left);
        prop_assert_eq!(parse(&print(&packet)).unwrap(), packet);
    }

    #[test]
    fn a_damaged_packets_line_gives_it_back(line in line(), damage in vec((0..80_usize, any::<u8>()), 1..4)) {
        let mut packet = parse(&line).unwrap();
        for (at, octet) in damage {
            if let Some(place) = packet.get_mut(at) {
                *place = octet;
            }
        }
        prop_assert_eq!(parse(&print(&packet)).unwrap(), packet);
    }

    /// smoltcp's own reading of the headers and its checksums are the judge of what is filled in.
    #[test]
    fn what_is_left_out_is_filled_in_rightly(line in prop_oneof![tcp(), udp(), icmp(payload())]) {
        let packet = parse(&without_faults(&line)).unwrap();
        let ip = Ipv4Packet::new_checked(&packet).unwrap();
        prop_assert!(ip.verify_checksum());
        prop_assert_eq!(usize::from(ip.total_len()), packet.len());
        let (source, destination) = (ip.src_addr().into(), ip.dst_addr().into());
        match ip.next_header() {
            IpProtocol::Tcp => {
                let tcp = TcpPacket::new_checked(ip.payload()).unwrap();
                prop_assert!(tcp.verify_checksum(&source, &destination));
            }
            IpProtocol::Udp => {
                let udp = UdpPacket::new_checked(ip.payload()).unwrap();
                prop_assert!(udp.checksum() != 0 && udp.verify_checksum(&source, &destination));
                prop_assert_eq!(usize::from(udp.len()), ip.payload().len());
            }
            // smoltcp takes other types than those it knows for malformed.
            _ => prop_assert_eq!(smoltcp::wire::checksum::data(ip.payload()), 0xffff),
        }
    }

    #[test]
    fn any_octets_come_back(bytes in vec(any::<u8>(), 0..100)) {
        prop_assert_eq!(parse(&print(&bytes)).unwrap(), bytes);
    }

    /// A packet's own line expects it, whatever it is.
    #[test]
    fn a_packet_matches_its_own_line(line in line()) {
        let packet = parse(&line).unwrap();
        let pattern = Pattern::parse(&print(&packet)).unwrap();
        prop_assert_eq!(pattern.difference(&packet), None);
    }

    #[test]
    fn any_text_is_read_without_panic(text in any::<String>(), line in line(), at in any::<prop::sample::Index>()) {
        let _ = (parse(&text), Pattern::parse(&text));
        let mut damaged = line;
        let at = damaged.floor_char_boundary(at.index(damaged.len()));
        damaged.insert_str(at, &text);
        for error in [parse(&damaged).err(), Pattern::parse(&damaged).err()].into_iter().flatten() {
            prop_assert!(damaged.get(error.span()).is_some(), "{:?} in {}", error, damaged);
        }
    }
}
