//! Captures are streamed: a large one takes no more memory than a small one. A program of its own: the system counts the
//! memory of all the processes that a test program has waited for as one.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};

/// What two generations of 16 384 connections may take, and the allocator's own.
const ROOM: i64 = 40 << 10;

struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A sound session, and behind it so many segments of 1400 octets on connections of ever other ports.
fn capture(name: &str, segments: u32) -> Removed {
    let path = std::env::temp_dir().join(format!("quirknat-{}-{name}.pcap", std::process::id()));
    let session = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/captures/port-2121-425-lan.pcap");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    file.write_all(&std::fs::read(session).unwrap()).unwrap();
    let mut segment = vec![0_u8; 16 + 40 + 1400];
    segment[8..12].copy_from_slice(&1440_u32.to_le_bytes());
    segment[12..16].copy_from_slice(&1440_u32.to_le_bytes());
    segment[16..56].copy_from_slice(&[
        0x45, 0, 0x05, 0xa0, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 168, 1, 100, 198, 51, 100, 9, 0, 0, 0, 80, 0,
        0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0,
    ]);
    for number in 0..segments {
        segment[0..4].copy_from_slice(&(2_000_000_000 + number / 1000).to_le_bytes());
        // Another port each time, and another address every 65 536 segments.
        let [_, high, two, three] = number.to_be_bytes();
        segment[34] = high;
        segment[36..38].copy_from_slice(&[two, three]);
        file.write_all(&segment).unwrap();
    }
    file.flush().unwrap();
    Removed(path)
}

/// The most that any child took so far, in KiB.
fn peak(capture: &Removed) -> i64 {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quirknat"));
    command.args(["diagnose", "--json"]).arg(&capture.0).env_remove("RUST_LOG").stdin(Stdio::null());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["sessions"][0]["cause"]["cause"], "lan-address-in-port");
    getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss()
}

#[test]
fn two_hundred_megabytes_take_no_more_memory_than_one() {
    let small = peak(&capture("small", 700));
    let large = capture("large", 150_000);
    assert!(large.0.metadata().unwrap().len() > 200 << 20);
    let large = peak(&large);
    assert!(small > 1 << 10, "{small} KiB is not a process");
    assert!(large - small < ROOM, "1 MB took {small} KiB, 218 MB took {large} KiB");
}
