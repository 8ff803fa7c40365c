//! The same calls give the same packets and the same events, octet by octet.

use std::fmt::Write as _;

use quirknat_router::profile::{Filtering, WhenFull};

use crate::support::{LAN, Lab, WAN, echo, fragmented, tcp, udp};

/// A small generator of our own, so that the calls are the same everywhere (Knuth's MMIX constants).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u16) -> u16 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u16::try_from((self.0 >> 33) % u64::from(limit)).unwrap()
    }
}

/// All that comes out of a router that a busy home and a curious world send a thousand packets.
fn transcript(table_seed: u64, when_full: WhenFull) -> String {
    let mut lab = Lab::with(|profile, config| {
        config.seed = table_seed;
        config.dmz_host = Some("192.168.1.50".parse().unwrap());
        profile.nat.tcp.filtering.value = Filtering::AddressDependent;
        profile.nat.udp.filtering.value = Filtering::AddressDependent;
        profile.table.translations.value = 40;
        profile.table.when_full.value = when_full;
    });
    let mut numbers = Numbers(1);
    let mut transcript = String::new();
    for _ in 0..1000 {
        let host = format!("192.168.1.{}:{}", 100 + numbers.below(3), 5000 + numbers.below(6));
        let remote = format!("198.51.100.{}:{}", 9 + numbers.below(3), 20 + numbers.below(3));
        let external = format!("203.0.113.7:{}", 5000 + numbers.below(10));
        let packets = match numbers.below(7) {
            0 => vec![(LAN, tcp(&host, &remote).syn().packet())],
            1 => vec![(WAN, tcp(&remote, &external).syn().packet())],
            2 => vec![(LAN, udp(&host, &remote, b"out"))],
            3 => vec![(WAN, udp(&remote, &external, b"in"))],
            4 => {
                let text = host.replace(['.', ':'], ",");
                let command = format!(
                    "PORT {},{}\r\n",
                    &text[..13],
                    "40,".to_owned() + &numbers.below(200).to_string()
                );
                vec![(LAN, tcp(&host, "198.51.100.9:21").ack(1).data(command).packet())]
            }
            5 => vec![(LAN, echo(true, &host[..13], &remote[..12.min(remote.len() - 3)], numbers.below(4)))],
            _ => fragmented(&udp(&host, &remote, &[1; 600]), numbers.below(9), 304)
                .into_iter()
                .rev()
                .map(|part| (LAN, part))
                .collect(),
        };
        for (into, packet) in packets {
            for seen in lab.send(into, packet) {
                writeln!(transcript, "{} {:02x?}", seen.on, seen.bytes).unwrap();
            }
        }
        lab.wait_millis(u64::from(numbers.below(4000)));
        for event in lab.timed_events() {
            writeln!(transcript, "{}", serde_json::to_string(&event).unwrap()).unwrap();
        }
    }
    transcript
}

#[test]
fn the_same_calls_give_the_same_packets_and_events() {
    for when_full in
        [WhenFull::Refuse, WhenFull::EvictOldest, WhenFull::EvictIdle, WhenFull::EvictUnestablished]
    {
        let first = transcript(1, when_full);
        for told in ["translation-created", "command-rewritten", "fragment-held", "expired"] {
            assert!(first.contains(told), "the calls bring about {told}");
        }
        assert_eq!(transcript(1, when_full), first);
        assert_eq!(transcript(2, when_full), first, "how the tables are hashed is not seen outside");
    }
}
