//! Files that a user hands in.

use std::path::Path;

use quirknat_router::Router;
use quirknat_router::config::Config;
use quirknat_router::profile::Profile;
use quirknat_sim::capture::{CaptureReader, looks_like_a_capture};
use quirknat_sim::diagnose::{Material, sessions};
use quirknat_sim::scenario::ScenarioFile;

/// A scenario that is taken has a cell for each that it counts; one that is not, says why.
pub(super) fn scenario(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match ScenarioFile::from_toml("fuzzed.toml", text) {
        Ok(file) => {
            for index in 0..file.cells().min(4) {
                let (name, _) = file.cell(index).expect("a cell that was counted and checked");
                assert!(
                    !name.contains('/') && Path::new(&name).components().count() <= 1,
                    "names a folder: {name}"
                );
            }
        }
        Err(error) => assert!(!error.to_string().trim().is_empty(), "an error says what is wrong"),
    }
}

/// A profile that is taken, written down and read again, is the same; a router can be made of it or says why not.
pub(super) fn profile(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Profile::from_toml("fuzzed.toml", text) {
        Ok(profile) => {
            let written = toml::to_string(&profile).expect("a profile can be written");
            let again = Profile::from_toml("again.toml", &written).expect("what was written can be read");
            assert_eq!(profile, again);
            let lan = vec!["192.168.1.1/24".parse().expect("an address")];
            let config = Config::new(lan, "203.0.113.7/24".parse().expect("an address"));
            drop(Router::new(&profile, &config));
        }
        Err(error) => assert!(!error.to_string().trim().is_empty(), "an error says what is wrong"),
    }
}

/// Whatever a capture holds, its packets are no longer than it is, and the sessions in it can be told.
pub(super) fn capture(data: &[u8]) {
    if let Ok(mut reader) = CaptureReader::new(data) {
        while let Ok(Some(packet)) = reader.next_packet() {
            assert!(packet.bytes.len() <= data.len(), "a packet is a part of its capture");
        }
    }
    if looks_like_a_capture(data) {
        let mut material = Material::default();
        drop(material.read_capture("fuzzed", data));
        drop(sessions(&material));
    }
}

/// Likewise a log.
pub(super) fn log(data: &[u8]) {
    let mut material = Material::default();
    let mut source = data;
    drop(material.read_log("fuzzed", &mut source, None));
    drop(sessions(&material));
}
