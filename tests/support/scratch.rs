//! A directory of the test's own, and file contents that are the same on every run.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

static MADE: AtomicU32 = AtomicU32::new(0);

pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        let counter = MADE.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("qn-{}-{counter}", std::process::id()));
        fs::create_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let scratch = Self(path);
        scratch.set_mode("", 0o755);
        scratch
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, below: &str) -> PathBuf {
        self.0.join(below)
    }

    /// A directory below, made if it is not there, open to the mode's users.
    pub fn directory(&self, below: &str, mode: u32) -> PathBuf {
        fs::create_dir_all(self.join(below)).expect("the scratch directory is writable");
        self.set_mode(below, mode);
        self.join(below)
    }

    pub fn write(&self, below: &str, content: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.join(below), content).expect("the scratch directory is writable");
        self.join(below)
    }

    pub fn set_mode(&self, below: &str, mode: u32) {
        fs::set_permissions(self.join(below), Permissions::from_mode(mode)).expect("the file is our own");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Bytes without a pattern that a shifted or doubled segment could hide in (splitmix64).
pub fn content(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend((word ^ (word >> 31)).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
