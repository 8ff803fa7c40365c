//! Captures: what crossed each wire, as a pcapng file.
//!
//! The file depends on what is written and on nothing else: no wall clock, no name of the machine. Times are those of
//! the caller's clock, counted from 1970-01-01 as readers show them, to the nanosecond.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::{DataLink, Endianness, PcapError};
use smoltcp::time::Instant;

/// `if_tsresol`: a time is a count of 10⁻⁹ seconds. Stated in each interface, because the format's default is
/// microseconds and pcap-file 2.0 counts nanoseconds whatever the interface says.
const NANOSECONDS: u8 = 9;

/// An option's length is a 16-bit field.
const LONGEST_OPTION: usize = u16::MAX as usize;

/// Writes raw IPv4 packets, each on the wire it was seen on.
///
/// It makes many small writes: give it a [`std::io::BufWriter`] where that matters, and call [`finish`](Self::finish)
/// at the end, so that a failed write is seen.
pub struct CaptureWriter<W: Write> {
    writer: PcapNgWriter<W>,
    interfaces: usize,
}

impl<W: Write> CaptureWriter<W> {
    /// Begins a capture with one interface per wire, in this order and with these names.
    pub fn new(writer: W, interfaces: &[&str]) -> io::Result<Self> {
        let section = SectionHeaderBlock {
            endianness: Endianness::Little,
            options: vec![SectionHeaderOption::UserApplication(Cow::Borrowed("quirknat"))],
            ..SectionHeaderBlock::default()
        };
        let mut writer = PcapNgWriter::with_section_header(writer, section).map_err(io_error)?;
        for name in interfaces {
            let options = vec![
                InterfaceDescriptionOption::IfName(Cow::Borrowed(cut_to_option(name))),
                InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
            ];
            let interface = InterfaceDescriptionBlock { linktype: DataLink::RAW, snaplen: 0, options };
            writer.write_pcapng_block(interface).map_err(io_error)?;
        }
        Ok(Self { writer, interfaces: interfaces.len() })
    }

    /// Writes `packet` as seen on the wire number `interface`, counted from 0, with a comment for its reader.
    ///
    /// A wire that the capture was not begun with, a time before zero and a packet longer than 4 GiB are
    /// [`io::ErrorKind::InvalidInput`]; nothing is written then.
    pub fn write(
        &mut self,
        interface: usize,
        at: Instant,
        packet: &[u8],
        comment: Option<&str>,
    ) -> io::Result<()> {
        let known = u32::try_from(interface).ok().filter(|_| interface < self.interfaces);
        let interface_id = known.ok_or_else(|| {
            invalid(format!("no wire number {interface} in a capture of {} wires", self.interfaces))
        })?;
        let micros = u64::try_from(at.total_micros())
            .map_err(|_| invalid(format!("a packet at {at}, before the clock's zero, cannot be captured")))?;
        let original_len = u32::try_from(packet.len())
            .map_err(|_| invalid(format!("a packet of {} octets cannot be captured", packet.len())))?;
        let comment = comment.map(|text| EnhancedPacketOption::Comment(Cow::Borrowed(cut_to_option(text))));
        let block = EnhancedPacketBlock {
            interface_id,
            timestamp: Duration::from_micros(micros),
            original_len,
            data: Cow::Borrowed(packet),
            options: comment.into_iter().collect(),
        };
        self.writer.write_pcapng_block(block).map_err(io_error)?;
        Ok(())
    }

    /// Hands all that was written so far to the file, so that a reader sees it while the capture goes on.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.get_mut().flush()
    }

    /// Ends the capture and gives the writer back.
    pub fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        Ok(self.writer.into_inner())
    }
}

/// As much of `text` as an option can hold, in whole characters.
fn cut_to_option(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_OPTION)]
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

fn io_error(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use pcap_file::pcapng::{Block, PcapNgReader};

    use super::*;

    /// A 20-octet IPv4 header without a body, protocol 253 (for experiments, RFC 3692).
    const PACKET: [u8; 20] = [0x45, 0, 0, 20, 0, 1, 0, 0, 64, 253, 0, 0, 192, 168, 1, 100, 198, 51, 100, 9];

    fn capture(write: impl FnOnce(&mut CaptureWriter<Vec<u8>>)) -> Vec<u8> {
        let mut capture = CaptureWriter::new(Vec::new(), &["home.lan", "home.wan"]).unwrap();
        write(&mut capture);
        capture.finish().unwrap()
    }

    #[test]
    fn what_was_written_is_read_back() {
        let bytes = capture(|capture| {
            let at = Instant::from_micros(1_500_001);
            capture.write(0, at, &PACKET, Some("left alone: the control port is 2121")).unwrap();
            capture.write(1, at + smoltcp::time::Duration::from_micros(3), &PACKET[..19], None).unwrap();
        });
        let mut reader = PcapNgReader::new(bytes.as_slice()).unwrap();
        let mut packets = Vec::new();
        while let Some(block) = reader.next_block() {
            if let Block::EnhancedPacket(packet) = block.unwrap() {
                packets.push(packet.into_owned());
            }
        }
        let names: Vec<_> = reader.interfaces().iter().map(|interface| &interface.options[0]).collect();
        let name = |name| InterfaceDescriptionOption::IfName(Cow::Borrowed(name));
        assert_eq!(names, [&name("home.lan"), &name("home.wan")]);
        for interface in reader.interfaces() {
            assert_eq!(interface.linktype, DataLink::RAW);
            assert_eq!(interface.options[1], InterfaceDescriptionOption::IfTsResol(9));
        }
        let comment = EnhancedPacketOption::Comment("left alone: the control port is 2121".into());
        assert_eq!(packets.len(), 2);
        assert_eq!(packets[0].timestamp, Duration::from_micros(1_500_001));
        assert_eq!((packets[0].interface_id, packets[0].data.as_ref()), (0, PACKET.as_slice()));
        assert_eq!(packets[0].options, [comment]);
        assert_eq!(packets[1].timestamp, Duration::from_micros(1_500_004));
        assert_eq!((packets[1].interface_id, packets[1].original_len), (1, 19));
    }

    #[test]
    fn the_same_packets_give_the_same_bytes_in_one_byte_order() {
        let write = |capture: &mut CaptureWriter<Vec<u8>>| {
            capture.write(1, Instant::from_secs(7200), &PACKET, Some("é")).unwrap();
        };
        let bytes = capture(write);
        assert_eq!(bytes, capture(write));
        assert_eq!(bytes[8..12], 0x1A2B_3C4D_u32.to_le_bytes());
    }

    #[test]
    fn a_packet_that_cannot_be_placed_is_refused_and_leaves_no_trace() {
        let bytes = capture(|capture| {
            let unknown_wire = capture.write(2, Instant::ZERO, &PACKET, None).unwrap_err();
            assert_eq!(unknown_wire.to_string(), "no wire number 2 in a capture of 2 wires");
            let too_early = capture.write(0, Instant::from_micros(-1), &PACKET, None).unwrap_err();
            assert_eq!(too_early.kind(), io::ErrorKind::InvalidInput);
        });
        assert_eq!(bytes, capture(|_| ()));
    }

    #[test]
    fn a_comment_longer_than_an_option_is_cut_between_characters() {
        let bytes = capture(|capture| {
            capture.write(0, Instant::ZERO, &PACKET, Some(&"é".repeat(40_000))).unwrap();
        });
        let mut reader = PcapNgReader::new(bytes.as_slice()).unwrap();
        let last = std::iter::from_fn(|| reader.next_block().map(|block| block.unwrap().into_owned())).last();
        let Some(Block::EnhancedPacket(packet)) = last else { panic!("no packet") };
        assert_eq!(packet.options, [EnhancedPacketOption::Comment("é".repeat(32_767).into())]);
    }

    #[test]
    fn a_full_disk_is_reported() {
        let mut room = [0_u8; 64];
        assert!(CaptureWriter::new(room.as_mut_slice(), &["home.lan", "home.wan"]).is_err());
    }
}
