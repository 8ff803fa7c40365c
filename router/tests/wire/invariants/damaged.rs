//! Packets that are right but for some octets, and octets that are no packet.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Strategy, any, prop_assert, proptest};
use proptest::sample::{Index, select};
use quirknat_router::event::{Detail, Interface};
use quirknat_router::profile::WhenFull;

use super::{DMZ_HOST, TABLE};
use crate::support::{LAN, Lab, WAN, fragmented, icmp_error, tcp, udp, with_ip_checksum};

/// A packet that is right, of any kind.
fn valid_packet() -> impl Strategy<Value = Vec<u8>> {
    let port = || 0_u16..4;
    let command = select(vec![
        &b"PORT 192,168,1,100,195,80\r\n"[..],
        b"PORT 192,168,1,100,195,80\r\nPORT 10,0,0,1,1,1\r\n",
        b"227 Entering Passive Mode (1,2,3,4,5,6)\r\n",
        b"EPRT |1|192.168.1.100|50000|\r\n",
        b"",
    ]);
    let ends = (port(), port()).prop_map(|(near, far)| {
        (format!("192.168.1.100:{}", 1024 + near), format!("198.51.100.9:{}", 20 + far))
    });
    (ends, command, any::<u8>(), any::<u32>(), any::<bool>()).prop_map(
        |((near, far), text, kind, number, out)| {
            let (source, destination) =
                if out { (near, far) } else { (far, near.replace("192.168.1.100", "203.0.113.7")) };
            let segment = tcp(&source, &destination).seq(number % 100).data(text);
            match kind % 7 {
                0 => segment.syn().packet(),
                1 => segment.ack(number % 80).packet(),
                2 => segment.ack(1).sack(&[(number % 90, number % 97), (3, 9)]).packet(),
                3 => segment.ack(1).fin().packet(),
                4 => udp(&source, &destination, text),
                5 => fragmented(&udp(&source, &destination, &[7; 64]), 1, 24)
                    .swap_remove((number % 3) as usize),
                _ => {
                    let quote = segment.packet();
                    let host = |end: &str| end.split(':').next().unwrap().to_owned();
                    icmp_error(&host(&destination), &host(&source), [3, 1], &quote)
                }
            }
        },
    )
}

proptest! {
    /// What leaves is checked packet by packet in `Lab::send`.
    #[test]
    fn packets_with_any_octets_changed_do_no_harm(
        packets in vec(
            (valid_packet(), vec((any::<Index>(), any::<u8>()), 0..4), any::<bool>(), any::<bool>(), option::of(0_usize..60)),
            1..60,
        ),
    ) {
        let mut lab = Lab::with(|profile, config| {
            profile.table.translations.value = u32::try_from(TABLE).unwrap();
            profile.table.when_full.value = WhenFull::EvictOldest;
            config.lan.push("192.168.1.1/24".parse().unwrap());
            config.dmz_host = Some(DMZ_HOST.parse().unwrap());
            config.detail = Detail::Packets;
            config.lan_mtu = 576;
    config.wan_mtu = 576;
        });
        for (mut packet, changes, from_lan, put_right, length) in packets {
            for (at, octet) in changes {
                let at = at.index(packet.len());
                packet[at] = octet;
            }
            packet.truncate(length.unwrap_or(usize::MAX));
            if put_right && packet.len() >= 20 && packet[0] == 0x45 {
                packet = with_ip_checksum(packet);
            }
            lab.send(if from_lan { LAN } else { WAN }, packet);
            prop_assert!(lab.translations().len() <= TABLE);
            lab.wait_millis(300);
        }
    }

    #[test]
    fn any_octets_do_no_harm(octets in vec(any::<u8>(), 0..100), port in 0_u8..3, like_ip: bool) {
        let mut lab = Lab::new();
        let mut packet = octets;
        if like_ip && packet.len() >= 20 {
            let length = u8::try_from(packet.len()).unwrap();
            packet[0] = 0x45;
            packet[2..4].copy_from_slice(&[0, length]);
            packet[12..16].copy_from_slice(&[192, 168, 1, 100]);
            packet = with_ip_checksum(packet);
        }
        lab.send(if port == 2 { WAN } else { Interface::Lan(port) }, packet);
        prop_assert!(lab.translations().len() <= 1);
    }
}
