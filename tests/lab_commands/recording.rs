//! Captures and events of a lab that is up.

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketOption;
use pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionOption;
use pcap_file::pcapng::{Block, PcapNgReader};

use crate::support::deadline::{Deadline, until};
use crate::support::labs::Labs;
use crate::support::requirement::{Requirement, met};
use crate::{BUILT_IN, can_lab};

/// A packet of a capture: its wire, its time since 1970, its comment.
type Packet = (String, Duration, String);

fn read(file: &Path) -> Vec<Packet> {
    let bytes = fs::read(file).unwrap();
    let mut reader = PcapNgReader::new(bytes.as_slice()).unwrap();
    let mut packets = Vec::new();
    while let Some(block) = reader.next_block() {
        // The last block may be on its way to the disk.
        let Ok(block) = block else { break };
        if let Block::EnhancedPacket(packet) = block.into_owned() {
            let wire = reader.interfaces()[packet.interface_id as usize].options.iter().find_map(|option| {
                match option {
                    InterfaceDescriptionOption::IfName(name) => Some(name.to_string()),
                    _ => None,
                }
            });
            let comment = packet.options.iter().find_map(|option| match option {
                EnhancedPacketOption::Comment(text) => Some(text.to_string()),
                _ => None,
            });
            packets.push((wire.unwrap(), packet.timestamp, comment.unwrap_or_default()));
        }
    }
    packets
}

const FETCH: [&str; 10] = [
    "lab",
    "exec",
    "pc",
    "--",
    "curl",
    "-sS",
    "--disable-eprt",
    "--ftp-port",
    "-",
    "ftp://198.51.100.9/readme.txt",
];

#[test]
fn a_capture_grows_while_the_lab_is_up_and_is_whole_after_it() {
    if !can_lab() || !met(&[Requirement::Program("curl")]) {
        return;
    }
    for foreground in [false, true] {
        let labs = Labs::new();
        let files = ["x.pcapng", "x.jsonl"].map(|name| labs.scratch.join(name));
        let before = UNIX_EPOCH.elapsed().unwrap();
        let words = ["lab", "up", BUILT_IN, "--pcap", "x.pcapng", "--events", "x.jsonl"];
        let lab = if foreground {
            let mut lab = labs.start(&[&words[..], &["--foreground"]].concat());
            lab.wait_stdout("readiness", Deadline::seconds(20), |seen| seen == b"ready\n");
            Some(lab)
        } else {
            labs.run_to(0, &words);
            None
        };
        labs.run_to(0, &FETCH);
        let rewritten =
            |packets: &[Packet]| packets.iter().filter(|(_, _, it)| it.contains("PORT 203,0,113,7")).count();
        until("rewritten PORT in the capture", 10, || {
            let packets = read(&files[0]);
            if rewritten(&packets) == 1 { Ok(()) } else { Err(format!("{packets:#?}")) }
        });
        let events = fs::read_to_string(&files[1]).unwrap();
        assert!(events.contains("\"event\":\"translation-created\""), "{events}");

        labs.run_to(0, &FETCH);
        labs.run_to(0, &["lab", "down"]);
        drop(lab);
        let after = UNIX_EPOCH.elapsed().unwrap();
        let packets = read(&files[0]);
        assert_eq!(rewritten(&packets), 2);
        let wires: std::collections::BTreeSet<&str> =
            packets.iter().map(|(wire, _, _)| wire.as_str()).collect();
        assert_eq!(wires.into_iter().collect::<Vec<_>>(), ["home.lan.pc", "home.wan", "internet.server"]);
        assert!(packets.is_sorted_by_key(|(_, at, _)| *at));
        assert!(
            packets.iter().all(|(_, at, _)| before <= *at && *at <= after),
            "{before:?} {after:?} {packets:?}"
        );
        for line in fs::read_to_string(&files[1]).unwrap().lines() {
            let _: serde_json::Value = serde_json::from_str(line).unwrap();
        }
    }
}

#[test]
fn a_full_disk_is_told_and_does_not_stop_the_lab() {
    if !can_lab() || !met(&[Requirement::Program("curl")]) {
        return;
    }
    for option in ["--pcap", "--events"] {
        let labs = Labs::new();
        labs.run_to(0, &["lab", "up", BUILT_IN, option, "/dev/full"]);
        labs.run_to(0, &FETCH);
        until("word of it", 10, || {
            let log = fs::read_to_string(labs.registry().join(format!("{BUILT_IN}.log"))).unwrap();
            if log.contains("cannot write to /dev/full: No space left") { Ok(()) } else { Err(log) }
        });
        labs.run_to(0, &FETCH);
        labs.run_to(0, &["lab", "down"]);
    }
    let labs = Labs::new();
    let up = labs.run_to(3, &["lab", "up", BUILT_IN, "--pcap", "no/such/folder/x"]);
    assert!(up.stderr.contains("cannot write no/such/folder/x: No such file"), "{}", up.story());
}
