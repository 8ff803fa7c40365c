//! Real work in labs: what the scenarios say holds for programs that are started by hand.

use crate::can_lab;
use crate::support::labs::Labs;
use crate::support::requirement::{Requirement, met};

/// Fetches a file in PORT mode and prints its size; gives up on a data connection that does not come.
const FTPLIB: &str = r"
import ftplib, sys
ftp = ftplib.FTP()
ftp.connect('198.51.100.9', int(sys.argv[1]), timeout=3)
ftp.login('anonymous', 'x@')
ftp.set_pasv(False)
size = []
ftp.retrbinary('RETR readme.txt', lambda data: size.append(len(data)))
print(sum(size))
";

fn fetch(labs: &Labs, lab: &str, port: &str) -> (Option<i32>, String, String) {
    labs.scratch.write("fetch.py", FTPLIB);
    let script = labs.scratch.join("fetch.py");
    let script = script.to_str().unwrap();
    let finished = labs.run(&["lab", "exec", "--lab", lab, "pc", "--", "/usr/bin/python3", script, port]);
    (finished.code(), finished.text(), finished.stderr)
}

#[test]
fn port_works_on_21_and_fails_elsewhere() {
    if !can_lab()
        || !met(&[Requirement::Program("python3")])
        || !std::path::Path::new("/usr/bin/python3").exists()
    {
        return;
    }
    let labs = Labs::new();
    labs.up("port-21-rewritten", "rewritten");
    labs.up("port-other-untouched", "untouched");
    let (status, size, said) = fetch(&labs, "rewritten", "21");
    assert_eq!(status, Some(0), "{said}");
    assert!(size.trim().parse::<u64>().unwrap() > 100, "{size}");
    let (status, _, said) = fetch(&labs, "untouched", "2121");
    // The server refuses an address that is not the client's, or its connection never comes.
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("error_perm") || said.contains("error_temp") || said.contains("timed out"),
        "{said}"
    );
}

const TWO_HOMES: &str = include_str!("../../sim/src/scenario/tests/two-homes.toml");

#[test]
fn a_router_answers_pings_from_its_lan_and_none_from_its_wan() {
    if !can_lab() || !met(&[Requirement::Program("ping")]) {
        return;
    }
    let labs = Labs::new();
    labs.scratch.write("homes.toml", TWO_HOMES);
    labs.up("homes.toml", "homes");
    let status = labs.status("homes").unwrap();
    let host = status["hosts"][0]["name"].as_str().unwrap();
    let own = status["hosts"][0]["on"].as_str().unwrap();
    let networks = status["networks"].as_array().unwrap();
    let is_own = |network: &&serde_json::Value| network["name"] == own;
    let lan = networks.iter().find(is_own).unwrap()["lan"].as_str().unwrap();
    let other = networks.iter().find(|network| !is_own(network)).unwrap()["wan"].as_str().unwrap();
    let ping = |to| ["lab", "exec", host, "--", "ping", "-c", "2", "-i", "0.2", "-W", "1", to];
    let inside = ping(lan.split('/').next().unwrap());
    assert!(labs.run_to(0, &inside).text().contains("2 received"));
    // As the profile has it.
    assert!(labs.run_to(1, &ping(other)).text().contains("0 received"));
}
