//! What a test needs of the machine. Without it the test says `skipped: <why>` and passes, unless
//! `QUIRKNAT_REQUIRE_REAL=1` says that a skip is a failure.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::process::pyftpdlib_path;

#[derive(Clone, Copy)]
pub enum Requirement {
    /// Root, with the capabilities to make namespaces and devices.
    Root,
    /// `/dev/net/tun`.
    Tun,
    /// A program, from `PATH` or from the directory of unpacked ones.
    Program(&'static str),
    /// The Python package `pyftpdlib`, unpacked.
    Pyftpdlib,
    /// Chromium with its driver, and Selenium for the system's Python.
    Browser,
}

/// The Python that Debian's packages of Python libraries are for.
pub const SYSTEM_PYTHON: &str = "/usr/bin/python3";

/// What any test with a router needs.
pub const LAB: [Requirement; 3] = [Requirement::Root, Requirement::Tun, Requirement::Program("ip")];

impl Requirement {
    /// Why this is not fulfilled, if it is not.
    fn missing(self) -> Option<String> {
        match self {
            Self::Root => {
                (!may_administer()).then(|| "needs root with CAP_NET_ADMIN and CAP_SYS_ADMIN".to_owned())
            }
            Self::Tun => fs::OpenOptions::new()
                .read(true)
                .write(true)
                .open("/dev/net/tun")
                .err()
                .map(|error| format!("needs /dev/net/tun: {error}")),
            Self::Program(name) => find_program(name).is_none().then(|| {
                format!("needs the program {name}: run .ci/install-real-programs, or put it into PATH")
            }),
            Self::Browser => {
                let lacks = |name| Self::Program(name).missing();
                let selenium = || {
                    let mut python = std::process::Command::new(SYSTEM_PYTHON);
                    let output = python.args(["-c", "import selenium"]).output();
                    (!output.is_ok_and(|output| output.status.success()))
                        .then(|| format!("needs Selenium for {SYSTEM_PYTHON}: run .ci/install-real-programs"))
                };
                lacks("chromium").or_else(|| lacks("chromedriver")).or_else(selenium)
            }
            Self::Pyftpdlib => (!pyftpdlib_path().join("pyftpdlib").is_dir())
                .then(|| "needs the Python package pyftpdlib: run .ci/install-real-programs".to_owned()),
        }
    }
}

/// Whether all of these are there; says which one is not.
pub fn met(requirements: &[Requirement]) -> bool {
    let Some(why) = requirements.iter().find_map(|requirement| requirement.missing()) else { return true };
    skip(&why);
    false
}

/// Says that this test does nothing, and why.
pub fn skip(why: &str) {
    assert!(
        std::env::var_os("QUIRKNAT_REQUIRE_REAL").is_none_or(|value| value != "1"),
        "skipped: {why}, and QUIRKNAT_REQUIRE_REAL=1 forbids skipping"
    );
    // Past the harness, which keeps what a passing test prints to itself.
    let line = format!("skipped: {}: {why}\n", std::thread::current().name().unwrap_or("test"));
    let _ = std::io::stderr().write_all(line.as_bytes());
}

fn may_administer() -> bool {
    const CAP_NET_ADMIN: u64 = 1 << 12;
    const CAP_SYS_ADMIN: u64 = 1 << 21;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0);
    nix::unistd::geteuid().is_root() && effective & CAP_NET_ADMIN != 0 && effective & CAP_SYS_ADMIN != 0
}

/// Where unpacked programs lie: `QUIRKNAT_REAL_PROGRAMS`, or `target/real-programs`.
pub fn unpacked_programs() -> PathBuf {
    std::env::var_os("QUIRKNAT_REAL_PROGRAMS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/real-programs"), PathBuf::from)
}

/// The program's file, from `PATH`, the usual administrator's directories or the unpacked ones.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let unpacked = unpacked_programs();
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .chain(["usr/sbin", "usr/bin", "bin"].map(|below| unpacked.join(below)))
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
}
