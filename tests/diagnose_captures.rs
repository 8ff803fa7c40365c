//! `quirknat diagnose` and `quirknat replay` on captures that tcpdump made of real programs, from one side and from both.
//! What is said of them is kept in golden files beside them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/captures")
}

fn quirknat(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quirknat"));
    command.args(arguments).current_dir(captures()).env_remove("RUST_LOG").stdin(Stdio::null());
    command.output().unwrap()
}

/// What is said of these files, checked against the golden file of this name.
fn golden(name: &str, status: i32, files: &[&str]) {
    let output = quirknat(&[&["diagnose", "--all"], files].concat());
    assert_eq!(output.status.code(), Some(status), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::with_settings!({ snapshot_path => "captures", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, text);
    });
}

fn json(arguments: &[&str]) -> Value {
    let output = quirknat(&[&["diagnose", "--json"], arguments].concat());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A folder of this test's own, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("quirknat-diagnose-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        std::fs::write(self.0.join(name), bytes).unwrap();
        self.path(name)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn each_story_is_told_from_both_sides() {
    golden("port-21", 0, &["port-21-lan.pcap", "port-21-wan.pcap"]);
    golden("port-2121-425", 1, &["port-2121-425-lan.pcap", "port-2121-425-wan.pcap"]);
    golden("port-2122-refused", 1, &["port-2122-refused-lan.pcap", "port-2122-refused-wan.pcap"]);
    golden("pasv-2121", 0, &["pasv-2121-lan.pcap", "pasv-2121-wan.pcap"]);
    golden("tls-21", 0, &["tls-21-lan.pcap", "tls-21-wan.pcap"]);
    golden("server-pasv", 1, &["server-pasv-wan.pcap", "server-pasv-lan.pcap"]);
}

#[test]
fn each_story_is_told_from_one_side() {
    for side in ["lan", "wan"] {
        for (name, status) in
            [("port-21", 0), ("port-2121-425", 1), ("port-2122-refused", 1), ("server-pasv", 1)]
        {
            golden(&format!("{name}-{side}"), status, &[&format!("{name}-{side}.pcap")]);
        }
    }
}

#[test]
fn both_sides_are_matched_whatever_the_order_and_stated_sides_are_taken() {
    let found = json(&["port-21-wan.pcap", "port-21-lan.pcap"]);
    let session = &found["sessions"][0];
    assert_eq!(found["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(session["at_client"]["client"]["ip"], "192.168.1.100");
    assert_eq!(session["at_server"]["client"]["ip"], "203.0.113.7");
    assert_eq!(session["announcement_rewritten"], true);
    assert_eq!(session["mode"], "port");
    assert_eq!(session["control_port"], 21);
    let stated = json(&["--lan", "port-21-lan.pcap", "--wan", "port-21-wan.pcap"]);
    assert_eq!(stated["sources"][0]["stated"], "lan");
    assert_eq!(stated["sessions"][0]["at_server"]["told_by"], "outside, as you say");
}

#[test]
fn the_json_has_cause_remedies_and_routers() {
    let found = json(&["port-2121-425-lan.pcap", "port-2121-425-wan.pcap"]);
    let session = &found["sessions"][0];
    assert_eq!(found["failed"], 1);
    assert_eq!(session["outcome"], "failed");
    assert_eq!(session["cause"]["cause"], "lan-address-in-port");
    assert_eq!(session["transfer"]["code"], 425);
    // On a control port that no gateway watches, a router with one does as one without.
    let exactly = session["routers"]["exactly"].as_array().unwrap();
    assert!(exactly.contains(&"linksys-befsr41-1.39".into()) && exactly.contains(&"full-cone".into()));
    let remedies = session["routers"]["remedies"].as_array().unwrap();
    assert_eq!(remedies[0]["text"], "use PASV");
    assert_eq!(remedies[0]["behind"], session["routers"]["exactly"]);
    let port_21 = remedies.iter().find(|helps| helps["measure"] == "watched-control-port").unwrap();
    let watching = [
        "freebsd-libalias",
        "hardened",
        "ipfilter",
        "linksys-befsr41-1.39",
        "linux-2.2-masq",
        "linux-netfilter",
        "openbsd-ftp-proxy",
        "openvswitch",
        "realtek-ecos",
        "rfc-4787",
        "smc-7004br",
    ];
    assert_eq!(port_21["behind"], serde_json::json!(watching));
    assert_eq!(session["at_server"]["data"][0]["fate"], "no-answer");
}

#[test]
fn a_router_that_cannot_be_set_up_so_stands_in_no_other_ones_way() {
    let found = json(&["server-pasv-wan.pcap", "server-pasv-lan.pcap"]);
    let routers = &found["sessions"][0]["routers"];
    assert!(routers["exactly"].as_array().unwrap().contains(&"linksys-befsr41-1.39".into()), "{routers}");
    let compared = routers["compared"].as_array().unwrap();
    let carrier = compared.iter().find(|router| router["profile"] == "carrier-grade").unwrap();
    assert_eq!(carrier["differs"][0]["would_be"], "1 forwards, and this router has 0 entries");
}

#[test]
fn no_password_is_shown() {
    for format in [&[][..], &["--json"]] {
        let output = quirknat(&[&["diagnose", "--all"], format, &["port-21-lan.pcap"]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("PASS ****") && !text.contains("ftp@example.com"), "{text}");
    }
}

/// A pcap's header, and its records.
fn records(file: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (header, mut rest) = file.split_at(24);
    let mut records = Vec::new();
    while let Some(length) = rest.get(8..12) {
        let length = 16 + u32::from_le_bytes(length.try_into().unwrap()) as usize;
        records.push(rest[..length].to_vec());
        rest = &rest[length..];
    }
    (header.to_vec(), records)
}

#[test]
fn a_capture_from_the_middle_of_a_session_tells_what_is_left() {
    let folder = Folder::new("middle");
    let (header, records) = records(&std::fs::read(captures().join("port-2121-425-wan.pcap")).unwrap());
    let login =
        records.iter().position(|record| record.windows(8).any(|bytes| bytes == b"230 Logi")).unwrap();
    let late = folder.write("late.pcap", &[header, records[login..].concat()].concat());
    let found = json(&[&late]);
    let session = &found["sessions"][0];
    assert_eq!(session["at_server"]["begins_in_the_middle"], true);
    assert_eq!(session["cause"]["cause"], "lan-address-in-port");
    let said = session["at_server"]["dialogue"].to_string();
    assert!(!said.contains("PASS") && said.contains("PORT 192,168,1,100"), "{said}");
}

#[test]
fn a_capture_that_ends_early_is_told_up_to_there() {
    let folder = Folder::new("early");
    let file = std::fs::read(captures().join("port-2121-425-lan.pcap")).unwrap();
    let cut = folder.write("cut.pcap", &file[..file.len() - 7]);
    let output = quirknat(&["diagnose", &cut]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.replace('\n', " ").contains("ends in the middle of a packet"), "{text}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_cannot_be_read_is_told_with_its_place_and_status_2() {
    let folder = Folder::new("bad");
    let file = std::fs::read(captures().join("port-21-lan.pcap")).unwrap();
    let mut damaged = file.clone();
    damaged[32..36].fill(0xff);
    for (name, bytes, words) in [
        ("damaged.pcap", &damaged[..], "at offset 24"),
        ("header.pcap", &file[..20], "the file ends in its header"),
        ("packed.pcap.gz", &[0x1f, 0x8b, 8, 0, 0, 0][..], "gunzip"),
        ("none.pcap", &file[..24], "there is no packet in it"),
        ("empty.pcap", &[][..], "empty"),
        ("other.bin", &[0x7f, b'E', b'L', b'F', 2, 1, 1][..], "not a capture"),
    ] {
        let path = folder.write(name, bytes);
        for arguments in [
            &["diagnose", &path][..],
            &["replay", &path, "--profile", "linksys-befsr41-1.39", "-o", "/dev/null"],
        ] {
            let output = quirknat(arguments);
            let text = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{name}: {text}");
            assert!(arguments[0] == "replay" || text.contains(words), "{name}: {text}");
            assert!(text.contains(name) || text.contains("no FTP session"), "{name}: {text}");
        }
    }
    let missing = quirknat(&["diagnose", "nowhere.pcap"]);
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn a_replay_translates_a_capture_and_tshark_reads_it() {
    let folder = Folder::new("replay");
    let (out, events) = (folder.path("out.pcapng"), folder.path("events.jsonl"));
    let replay = |capture: &str| {
        let profile = ["--profile", "linksys-befsr41-1.39", "-o", &out, "--events", &events, "--json"];
        let output = quirknat(&[&["replay", capture][..], &profile].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let counted = replay("port-21-lan.pcap");
    assert_eq!(counted["router"]["commands_rewritten"], 1);
    assert_eq!(counted["router"]["dropped"], serde_json::json!({}));
    assert_eq!(counted["left_out"], serde_json::json!({}));
    assert!(std::fs::read_to_string(&events).unwrap().contains("command-rewritten"));
    // What comes out is a session seen from both sides, and the diagnosis finds it so.
    let found = json(&[&out]);
    assert_eq!(found["sessions"][0]["announcement_rewritten"], true);
    assert_eq!(found["sessions"][0]["outcome"], "ok");
    let Ok(tshark) = Command::new("tshark")
        .args(["-n", "-r", &out, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"])
        .args(["-Y", "tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment || tcp.checksum.status == 0 || ip.checksum.status == 0 || _ws.malformed"])
        .output()
    else {
        println!("skipped: tshark is not there");
        return;
    };
    assert_eq!(String::from_utf8_lossy(&tshark.stdout), "", "{}", String::from_utf8_lossy(&tshark.stderr));
    assert!(tshark.status.success());

    let leaked = replay("port-2121-425-lan.pcap");
    assert_eq!(leaked["router"]["commands_left_alone"], 1);
}

/// What a gateway does not see, a capture does not show.
#[test]
fn of_an_encrypted_session_nothing_is_claimed() {
    let folder = Folder::new("tls");
    let played = quirknat(&["run", "port-over-tls", "--out", folder.0.to_str().unwrap()]);
    assert!(played.status.success());
    let capture = folder.path("port-over-tls/capture.pcapng");
    let found = quirknat(&["diagnose", "--json", &capture]);
    assert_eq!(found.status.code(), Some(1));
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    // Two sessions, each seen on three wires.
    let sessions = found["sessions"].as_array().unwrap();
    assert_eq!((sessions.len(), &found["failed"]), (2, &Value::from(0)));
    for session in sessions {
        assert_eq!((&session["outcome"], &session["encrypted"]), (&"unseen".into(), &true.into()));
        assert_eq!(session["at_client"]["client"]["ip"], "192.168.1.100");
        assert_eq!(session["at_server"]["client"]["ip"], "203.0.113.7");
        assert!(session["wanted"][0].as_str().unwrap().contains("own log"));
    }
}
