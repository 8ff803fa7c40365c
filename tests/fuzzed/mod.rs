//! What the fuzzers feed, a function a target: any octets go in, nothing panics, and what holds of every input is
//! asserted. The fuzzers (`fuzz/`) and the test that replays their corpora share them.

mod alg;
mod conversation;
mod files;
mod packets;

/// A target's function.
pub(crate) type Target = fn(&[u8]);

/// All targets, by the names of their binaries and corpora.
pub(crate) const TARGETS: [(&str, Target); 8] = [
    ("alg", |data| drop(alg::play(data))),
    ("capture", files::capture),
    ("conversation", conversation::conversation),
    ("log", files::log),
    ("packet", packets::packet),
    ("packet_text", packets::packet_text),
    ("profile", files::profile),
    ("scenario", files::scenario),
];
