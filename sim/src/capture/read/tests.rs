//! What a reader makes of sound, damaged and hostile captures.

use proptest::prelude::*;

use super::*;
use crate::capture::CaptureWriter;

const PACKET: [u8; 20] = [0x45, 0, 0, 20, 0, 1, 0, 0, 64, 253, 0, 0, 192, 168, 1, 100, 198, 51, 100, 9];

/// A packet as it was read: time in microseconds, interface, octets, length on the wire.
type Seen = (i64, usize, Vec<u8>, u32);

fn read(bytes: &[u8]) -> Result<(Vec<Seen>, Option<u64>), CaptureError> {
    let mut reader = CaptureReader::new(bytes)?;
    let mut seen = Vec::new();
    while let Some(packet) = reader.next_packet()? {
        let Captured { at, interface, bytes, original_length, .. } = packet;
        seen.push((at.total_micros(), interface, bytes.to_vec(), original_length));
        assert!(interface < reader.interfaces().len());
    }
    Ok((seen, reader.cut_off()))
}

fn ours() -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new(), &["home.lan", "home.wan"]).unwrap();
    writer.write(0, Instant::from_micros(1_500_001), &PACKET, Some("left alone")).unwrap();
    writer.write(1, Instant::from_micros(1_500_004), &PACKET[..19], None).unwrap();
    writer.finish().unwrap()
}

/// Both byte orders.
fn both(write: impl Fn(&dyn Fn(&mut Vec<u8>, u32, usize)) -> Vec<u8>) -> [Vec<u8>; 2] {
    let put = |little: bool| {
        move |into: &mut Vec<u8>, number: u32, size: usize| {
            let octets = number.to_be_bytes();
            let octets = &octets[4 - size..];
            if little { into.extend(octets.iter().rev()) } else { into.extend(octets) }
        }
    };
    [write(&put(true)), write(&put(false))]
}

fn pcap(magic: u32, fraction: u32) -> [Vec<u8>; 2] {
    both(|put| {
        let mut file = Vec::new();
        put(&mut file, magic, 4);
        for (number, size) in [(2, 2), (4, 2), (0, 4), (0, 4), (96, 4), (101, 4)] {
            put(&mut file, number, size);
        }
        for number in [7, fraction, 20, 1500] {
            put(&mut file, number, 4);
        }
        if magic == 0xa1b2_cd34 {
            file.extend([0; 8]);
        }
        file.extend(PACKET);
        file
    })
}

#[test]
fn pcap_in_both_byte_orders_and_all_variants() {
    for (magic, fraction) in [(0xa1b2_c3d4, 250_000), (0xa1b2_3c4d, 250_000_000), (0xa1b2_cd34, 250_000)] {
        for file in pcap(magic, fraction) {
            let (seen, cut_off) = read(&file).unwrap();
            assert_eq!(seen, [(7_250_000, 0, PACKET.to_vec(), 1500)], "{magic:x}");
            assert_eq!(cut_off, None);
        }
    }
}

#[test]
fn what_our_own_writer_wrote() {
    let file = ours();
    let (seen, cut_off) = read(&file).unwrap();
    assert_eq!(seen, [(1_500_001, 0, PACKET.to_vec(), 20), (1_500_004, 1, PACKET[..19].to_vec(), 19)]);
    assert_eq!(cut_off, None);
    let mut reader = CaptureReader::new(file.as_slice()).unwrap();
    while reader.next_packet().unwrap().is_some() {}
    let names: Vec<_> = reader.interfaces().iter().map(|interface| interface.name.as_deref()).collect();
    assert_eq!(names, [Some("home.lan"), Some("home.wan")]);
}

fn block(put: &dyn Fn(&mut Vec<u8>, u32, usize), kind: u32, body: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    let length = u32::try_from(body.len().next_multiple_of(4) + 12).unwrap();
    put(&mut block, kind, 4);
    put(&mut block, length, 4);
    block.extend(body);
    block.resize(usize::try_from(length).unwrap() - 4, 0);
    put(&mut block, length, 4);
    block
}

/// Two sections with an interface each, of different clocks; a packet in each kind of block, and blocks of other kinds.
fn sections() -> [Vec<u8>; 2] {
    both(|put| {
        let words = |numbers: &[(u32, usize)]| {
            let mut body = Vec::new();
            for (number, size) in numbers {
                put(&mut body, *number, *size);
            }
            body
        };
        let section = || {
            let body = [(0x1a2b_3c4d, 4), (1, 2), (0, 2), (u32::MAX, 4), (u32::MAX, 4)];
            block(put, 0x0a0d_0d0a, &words(&body))
        };
        let interface = |options: &[u8]| {
            let mut body = words(&[(1, 2), (0, 2), (10, 4)]);
            body.extend(options);
            block(put, 1, &body)
        };
        let option = |code, value: &[u8]| {
            let mut option = words(&[(code, 2), (u32::try_from(value.len()).unwrap(), 2)]);
            option.extend(value);
            option.resize(option.len().next_multiple_of(4), 0);
            option
        };
        let packet = |kind, head: &[(u32, usize)]| {
            let mut body = words(head);
            body.extend(PACKET);
            block(put, kind, &body)
        };
        let offset = [words(&[(0, 4), (100, 4)]), words(&[(100, 4), (0, 4)])];
        // A 64-bit number in the file's byte order.
        let offset = if words(&[(1, 2)])[0] == 1 { &offset[1] } else { &offset[0] };
        [
            section(),
            interface(&[option(2, b"eth0"), option(9, &[6]), option(0, &[])].concat()),
            block(put, 4, &[0; 8]),
            packet(6, &[(0, 4), (0, 4), (2_000_000, 4), (20, 4), (20, 4)]),
            packet(3, &[(1500, 4)]),
            section(),
            block(put, 0xbad, &[0; 64]),
            interface(&[option(9, &[0x81]), option(14, offset), option(2, b"pppoe")].concat()),
            packet(2, &[(0, 2), (0, 2), (0, 4), (3, 4), (20, 4), (30, 4)]),
        ]
        .concat()
    })
}

#[test]
fn pcapng_with_sections_interfaces_and_all_kinds_of_packet_blocks() {
    for file in sections() {
        let (seen, cut_off) = read(&file).unwrap();
        assert_eq!(
            seen,
            [
                (2_000_000, 0, PACKET.to_vec(), 20),
                // A simple block has no time, and as many octets as the interface captures at most.
                (2_000_000, 0, PACKET[..10].to_vec(), 1500),
                // Three halves of a second, and the interface's offset.
                (101_500_000, 1, PACKET.to_vec(), 30),
            ]
        );
        assert_eq!(cut_off, None);
    }
}

#[test]
fn a_file_that_ends_early_is_read_up_to_there() {
    for file in pcap(0xa1b2_c3d4, 0).into_iter().chain(sections()).chain([ours()]) {
        let (whole, _) = read(&file).unwrap();
        for length in 0..file.len() {
            match read(&file[..length]) {
                Ok((seen, cut_off)) => {
                    assert_eq!(seen, whole[..seen.len()]);
                    assert!(cut_off.is_none_or(|at| at < length as u64));
                }
                Err(error) => {
                    assert!(length < 4 || error.to_string().ends_with("the file ends in its header"));
                }
            }
        }
    }
}

#[test]
fn what_is_no_capture_is_told_what_it_is() {
    let message = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    assert_eq!(message(b""), "the file is empty: no capture was written to it");
    assert_eq!(
        message(b"\x7fELF\x02"),
        "not a capture: its first octets are 7f 45 4c 46, and neither of pcap nor of pcapng"
    );
    assert_eq!(
        message(&[0x1f, 0x8b, 8, 0, 0]),
        "the file is packed with gzip: unpack it first, as with `gunzip -k FILE`"
    );
    assert_eq!(message(&pcap(0xa1b2_c3d4, 0)[0][..20]), "at offset 20: the file ends in its header");
}

#[test]
fn lengths_that_cannot_be_are_told_with_their_place() {
    let message = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    let [mut file, _] = pcap(0xa1b2_c3d4, 0);
    file[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
    let says = "at offset 24: a packet of 4294967295 octets: this is no packet, or the file is damaged here";
    assert_eq!(message(&file), says);
    let [file, _] = sections();
    let with = |at: usize, number: u32| {
        let mut file = file.clone();
        file[at..at + 4].copy_from_slice(&number.to_le_bytes());
        message(&file)
    };
    assert_eq!(with(32, 13), "at offset 28: a block of 13 octets");
    assert_eq!(with(32, u32::MAX - 3), "at offset 28: the description of an interface in 4294967280 octets");
    let other_end = with(28 + 40 - 4, 44);
    assert_eq!(other_end, "at offset 28: a block that begins with the length 40 and ends with 44");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_octets_make_it_panic_hang_or_take_more_than_a_packet(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        begins in 0_usize..4,
    ) {
        let head = match begins {
            0 => Vec::new(),
            1 => pcap(0xa1b2_c3d4, 0)[0][..24].to_vec(),
            2 => pcap(0xa1b2_3c4d, 0)[1][..24].to_vec(),
            _ => sections()[0][..68].to_vec(),
        };
        check(&[head, bytes].concat());
    }

    #[test]
    fn nor_do_sound_captures_with_octets_changed(
        which in 0_usize..4,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let files = [pcap(0xa1b2_c3d4, 0)[0].clone(), ours(), sections()[0].clone(), sections()[1].clone()];
        let mut file = files[which].clone();
        for (place, octet) in changes {
            let place = place.index(file.len());
            file[place] = octet;
        }
        check(&file);
    }
}

fn check(bytes: &[u8]) {
    let Ok(mut reader) = CaptureReader::new(bytes) else { return };
    let mut packets = 0;
    while let Ok(Some(packet)) = reader.next_packet() {
        let _ = crate::capture::network_layer(LinkType::Ethernet, packet.bytes);
        packets += 1;
        assert!(packets <= bytes.len(), "a packet takes octets of the file");
    }
    assert!(reader.bytes.capacity() <= LARGEST_PACKET as usize);
}
