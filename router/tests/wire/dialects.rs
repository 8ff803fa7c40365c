//! What each built-in profile's gateway makes of what is said, against what its source says. The tables are read, not
//! recorded: `dialects/*.txt`, one a profile, written from the sources that the profile names.
//!
//! A case is a line at the margin and, indented, what happens in it, in this order:
//!
//! ```text
//! case 12: a NOOP before it in the segment
//!   client   NOOP\r\nPORT 192,168,1,100,195,80\r\n
//!   leaves   NOOP\r\nPORT 203,0,113,7,195,80\r\n
//!   forward  50000 to 192.168.1.100:50000 for 300 s from the server
//!   shift    -2
//! ```
//!
//! A case has a new router and a control connection on which the client has said `USER`, or, where its first line is
//! `logged in`, on which the login is complete. It asserts all that is to be
//! seen: where it names no forward there is none, and where it names no shift the inside end's numbers have not moved.
//! An acknowledgement of all that left always comes back as one of all that was said.

mod script;
mod stage;

use script::cases;
use stage::Stage;

/// Plays every case of a table; all that fail are told together.
fn play(profile: &str, table: &str) {
    let cases = cases(table);
    let wrong: Vec<String> = cases.iter().filter_map(|case| Stage::play(profile, case).err()).collect();
    assert!(
        wrong.is_empty(),
        "{profile}: {} of {} cases\n\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n\n")
    );
}

macro_rules! tables {
    ($($test:ident: $profile:literal),* $(,)?) => {
        $(#[test]
        fn $test() {
            play($profile, include_str!(concat!("dialects/", $profile, ".txt")));
        })*
    };
}

tables!(
    freebsd_libalias: "freebsd-libalias",
    ipfilter: "ipfilter",
    libslirp: "libslirp",
    linksys_befsr41_1_39: "linksys-befsr41-1.39",
    linux_2_2_masq: "linux-2.2-masq",
    openbsd_ftp_proxy: "openbsd-ftp-proxy",
    openvswitch: "openvswitch",
    realtek_ecos: "realtek-ecos",
    smc_7004br: "smc-7004br",
);
