use etherparse::PacketBuilder;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{Ipv4Packet, TcpPacket, UdpPacket};

use super::edit::End;
use super::*;

const CLIENT: [u8; 4] = [192, 168, 1, 100];
const SERVER: [u8; 4] = [198, 51, 100, 9];

fn tcp(payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ipv4(CLIENT, SERVER, 64).tcp(1024, 21, 1000, 8192).ack(2000).psh();
    let mut bytes = Vec::new();
    builder.write(&mut bytes, payload).unwrap();
    bytes
}

fn udp(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    PacketBuilder::ipv4(CLIENT, SERVER, 64).udp(5000, 53).write(&mut bytes, payload).unwrap();
    bytes
}

fn echo(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    PacketBuilder::ipv4(CLIENT, SERVER, 64).icmpv4_echo_request(77, 1).write(&mut bytes, payload).unwrap();
    bytes
}

/// smoltcp reads the packet and finds every checksum right.
fn assert_true_checksums(bytes: &[u8]) {
    let ip = Ipv4Packet::new_checked(bytes).unwrap();
    assert!(ip.verify_checksum(), "IPv4 checksum");
    let (source, destination) = (ip.src_addr().into(), ip.dst_addr().into());
    match ip.next_header() {
        smoltcp::wire::IpProtocol::Tcp => {
            assert!(TcpPacket::new_checked(ip.payload()).unwrap().verify_checksum(&source, &destination));
        }
        smoltcp::wire::IpProtocol::Udp => {
            assert!(UdpPacket::new_checked(ip.payload()).unwrap().verify_checksum(&source, &destination));
        }
        _ => {
            let icmp = smoltcp::wire::Icmpv4Packet::new_checked(ip.payload()).unwrap();
            smoltcp::wire::Icmpv4Repr::parse(&icmp, &ChecksumCapabilities::default()).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn every_edit_leaves_true_checksums(
        payload in proptest::collection::vec(any::<u8>(), 0..64),
        kind in 0..3,
        address: u32,
        port: u16,
        sequence: u32,
        source: bool,
    ) {
        let mut bytes = match kind { 0 => tcp(&payload), 1 => udp(&payload), _ => echo(&payload) };
        let mut packet = Packet::parse(&mut bytes).unwrap();
        let end = if source { End::Source } else { End::Destination };
        packet.set_endpoint(end, SocketAddrV4::new(address.into(), port));
        packet.decrement_ttl();
        packet.set_sequence(sequence);
        packet.set_acknowledgement(!sequence);
        let (_, from, to) = packet.session().unwrap();
        let edited = if source { from } else { to };
        prop_assert_eq!(edited, SocketAddrV4::new(address.into(), port));
        assert_true_checksums(&bytes);
        let again = Packet::parse(&mut bytes).unwrap();
        prop_assert_eq!(again.header().ttl, 63);
    }

    #[test]
    fn another_payload_leaves_true_checksums(
        old in proptest::collection::vec(any::<u8>(), 0..64),
        new in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut bytes = tcp(&old);
        Packet::parse(&mut bytes).unwrap().set_tcp_payload(&new);
        assert_true_checksums(&bytes);
        let packet = Packet::parse(&mut bytes).unwrap();
        prop_assert_eq!(packet.tcp_payload(), &new[..]);
    }

    #[test]
    fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..100), sane: bool) {
        if sane && !bytes.is_empty() {
            bytes[0] = 0x45;
        }
        let _ = Packet::parse(&mut bytes);
    }

    #[test]
    fn one_flipped_bit_is_noticed(
        payload in proptest::collection::vec(any::<u8>(), 0..64),
        kind in 0..3,
        place: proptest::sample::Index,
        bit in 0_u32..8,
    ) {
        let mut bytes = match kind { 0 => tcp(&payload), 1 => udp(&payload), _ => echo(&payload) };
        let at = place.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        let is_udp_checksum = kind == 1 && bytes[26..28] == [0, 0];
        prop_assert!(is_udp_checksum || Packet::parse(&mut bytes).is_err());
    }
}

#[test]
fn udp_without_a_checksum_keeps_none() {
    let mut bytes = udp(b"hello");
    bytes[26..28].fill(0);
    let mut packet = Packet::parse(&mut bytes).unwrap();
    packet.set_endpoint(End::Source, SocketAddrV4::new([203, 0, 113, 7].into(), 5000));
    assert_eq!(bytes[26..28], [0, 0]);
}

#[test]
fn a_udp_checksum_that_comes_out_as_zero_is_sent_as_all_ones() {
    let mut bytes = udp(b"hello");
    let mut packet = Packet::parse(&mut bytes).unwrap();
    // Find the source port for which the sum is all ones.
    for port in 0..=u16::MAX {
        packet.set_endpoint(End::Source, SocketAddrV4::new(CLIENT.into(), port));
        assert_ne!(packet.as_bytes()[26..28], [0, 0], "port {port}");
    }
}

#[test]
fn wrong_lengths_are_named() {
    let mut short = tcp(b"hello");
    short.truncate(30);
    assert_eq!(Packet::parse(&mut short).unwrap_err(), Malformed::IpLength);
    assert_eq!(Packet::parse(&mut Vec::new()).unwrap_err(), Malformed::IpLength);
    assert_eq!(Packet::parse(&mut vec![0x60; 40]).unwrap_err(), Malformed::NotIpv4);

    let mut udp_too_long = udp(b"hello");
    udp_too_long[24..26].copy_from_slice(&100_u16.to_be_bytes());
    assert_eq!(Packet::parse(&mut udp_too_long).unwrap_err(), Malformed::TransportLength);

    let mut data_offset = tcp(b"");
    data_offset[32] = 0xf0;
    assert_eq!(Packet::parse(&mut data_offset).unwrap_err(), Malformed::TransportLength);
}

#[test]
fn bytes_behind_the_packet_are_cut_off() {
    let mut bytes = tcp(b"hello");
    let length = bytes.len();
    bytes.extend_from_slice(b"padding");
    assert_eq!(Packet::parse(&mut bytes).unwrap().as_bytes().len(), length);
}

/// A SYN-ACK-less pure acknowledgement with two SACK blocks behind two no-operations.
fn with_sack(blocks: &[(u32, u32)]) -> Vec<u8> {
    let blocks: Vec<(u32, u32)> = blocks.to_vec();
    let options = [
        etherparse::TcpOptionElement::Noop,
        etherparse::TcpOptionElement::Noop,
        etherparse::TcpOptionElement::SelectiveAcknowledgement(
            blocks[0],
            [blocks.get(1).copied(), None, None],
        ),
    ];
    let mut bytes = Vec::new();
    PacketBuilder::ipv4(SERVER, CLIENT, 64)
        .tcp(21, 1024, 1, 1)
        .ack(2)
        .options(&options)
        .unwrap()
        .write(&mut bytes, &[])
        .unwrap();
    bytes
}

#[test]
fn sack_blocks_move_with_the_sequence_numbers() {
    let mut bytes = with_sack(&[(100, 200), (u32::MAX, 5)]);
    Packet::parse(&mut bytes)
        .unwrap()
        .map_sack_blocks(|left, right| (left.wrapping_add(2), right.wrapping_add(2)));
    assert_true_checksums(&bytes);
    assert_eq!(bytes, with_sack(&[(102, 202), (1, 7)]));
}

#[test]
fn a_sack_block_that_would_be_empty_is_withdrawn() {
    let mut bytes = with_sack(&[(100, 102)]);
    Packet::parse(&mut bytes).unwrap().map_sack_blocks(|left, _| (left, left));
    assert_true_checksums(&bytes);
    assert_eq!(bytes[40..52], [1; 12]);
}
