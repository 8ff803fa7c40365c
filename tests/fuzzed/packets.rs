//! Single packets, as octets and as text.

use std::hint::black_box;

use quirknat_router::packet::{Packet, fragments};
use quirknat_sim::packet_text;
use smoltcp::wire::Ipv4Packet;

/// What is taken for a packet is one to another reader, too, and its fragments are packets.
pub(super) fn packet(data: &[u8]) {
    let mut bytes = data.to_vec();
    if let Ok(packet) = Packet::parse(&mut bytes) {
        let (whole, may_be_cut) = (packet.as_bytes().to_vec(), !packet.dont_fragment());
        black_box((packet.session(), packet.tcp(), packet.transport(), packet.tcp_payload()));
        let header = Ipv4Packet::new_checked(&whole).expect("another reader finds a header");
        assert_eq!(usize::from(header.total_len()), whole.len(), "as long as it says");
        assert!(header.verify_checksum(), "with a true checksum");
        if may_be_cut && whole.len() > 100 {
            for mut fragment in fragments(&whole, 100) {
                assert!(fragment.len() <= 100, "a fragment fits");
                // The first may be too short for its transport; what else could be wrong with it would be ours.
                assert!(Ipv4Packet::new_checked(&fragment).is_ok(), "a fragment has a header");
                drop(Packet::parse(&mut fragment));
            }
        }
    }
    let line = packet_text::print(data);
    assert_eq!(packet_text::parse(&line).as_deref(), Ok(data), "printed and read back: {line}");
}

/// A line of packet text that can be read prints as one that reads the same.
pub(super) fn packet_text(data: &[u8]) {
    let Ok(line) = std::str::from_utf8(data) else { return };
    if let Ok(bytes) = packet_text::parse(line) {
        let printed = packet_text::print(&bytes);
        assert_eq!(packet_text::parse(&printed), Ok(bytes), "printed and read back: {printed}");
    }
}
