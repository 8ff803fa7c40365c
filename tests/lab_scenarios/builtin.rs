//! The scenarios that come with the program, and a larger one.

use crate::{assert_alike, can_lab};

fn check(text: &str) {
    if can_lab() {
        assert_alike(text);
    }
}

#[test]
fn port_on_21() {
    check(include_str!("../../scenarios/port-21-rewritten.toml"));
}

#[test]
fn port_elsewhere() {
    check(include_str!("../../scenarios/port-other-untouched.toml"));
}

#[test]
fn pasv_on_21() {
    check(include_str!("../../scenarios/pasv-21.toml"));
}

#[test]
fn pasv_elsewhere() {
    check(include_str!("../../scenarios/pasv-other.toml"));
}

#[test]
fn two_homes() {
    // The client gives up on a leaked address after its patience, which is waited for.
    let text = include_str!("../../sim/src/scenario/tests/two-homes.toml");
    let pasv = r#"client = "guest", server = "server", mode = "pasv","#;
    assert!(text.contains(pasv));
    check(&text.replace(pasv, &format!("{pasv} patience = \"2s\",")));
}

/// The same port from the same server twice within TIME-WAIT, in both directions.
#[test]
fn the_same_data_port_again() {
    let step = r#"
[[step]]
ftp = { client = "pc", server = "server", mode = "port", data-port = 16683, get = "readme.txt" }
expect = { control = "ok", data = "ok", reply = 226 }

[[step]]
ftp = { client = "pc", server = "server", mode = "port", data-port = 16683, put = { name = "up.bin", size = 300000 } }
expect = { control = "ok", data = "ok", reply = 226 }
"#;
    let server = "[host.server]";
    let text = crate::at_home(&step.repeat(3));
    check(&text.replace(server, &format!("{server}\nftp-server = {{ port = 21 }}")));
}
