//! FTP over TLS (RFC 4217): a gateway sees nothing of it, a client and a server say what they always said.

use quirknat_sim::scenario::play;

use super::support::requirement::{Requirement, met};
use super::{assert_alike, assert_as_expected, at_home, can_lab, in_lab, scenario};

/// The only thing a gateway sees of a session is that it becomes TLS.
const SESSIONS: &str = r#"
ftp-server = { tls = true, files = { "large.bin" = 300000 } }

[[step]]
ftp = { client = "pc", server = "server", mode = "pasv", tls = true, get = "large.bin" }

[step.expect]
control = "ok"
data = "ok"
client-sent = "AUTH TLS"
server-sent = "234 AUTH TLS ok."
gateway = "silent"
no-packets = { "internet.server" = ["tcp * > 198.51.100.9:21 \"PASV*\"", "tcp 198.51.100.9:21 > * \"227*\""] }

[[step]]
ftp = { client = "pc", server = "server", mode = "pasv", tls = true, put = { name = "new.bin", size = 200001 } }
expect = { control = "ok", data = "ok" }

[[step]]
ftp = { client = "pc", server = "server", mode = "port", data-port = 16683, tls = true, get = "large.bin" }

[step.expect]
control = "ok"
data = "failed"
reply = 500
gateway = "silent"
data-syn-at-server = "none"
"#;

#[test]
fn under_tls_passive_mode_works_and_port_21_helps_nobody() {
    if can_lab() {
        assert_alike(&at_home(SESSIONS));
    }
}

#[test]
fn on_one_seed_two_sessions_under_tls_are_the_same_byte_for_byte() {
    let bytes = |seed| {
        let played = play("test", &scenario(&at_home(SESSIONS)), seed);
        assert_as_expected(&played.verdict);
        played.network.record().iter().map(|crossing| crossing.bytes.clone()).collect::<Vec<_>>()
    };
    assert!(bytes(1) == bytes(1), "chance came from elsewhere");
    assert!(bytes(1) != bytes(2), "the seed decides nothing");
}

#[test]
fn a_server_without_tls_is_no_server_for_a_client_that_insists() {
    let text = at_home(
        r#"
ftp-server = {}

[[step]]
ftp = { client = "pc", server = "server", tls = true }
expect = { control = "failed", data = "failed", client-saw = "502 Command not implemented." }
"#,
    );
    assert_as_expected(&play("test", &scenario(&text), 1).verdict);
}

#[test]
fn curl_finds_tls_there() {
    if !can_lab() || !met(&[Requirement::Program("curl")]) {
        return;
    }
    assert_as_expected(&in_lab(&at_home(
        r#"
ftp-server = { tls = true, files = { "large.bin" = 300000 } }

[[step]]
run = { on = "pc", server = "server", command = ["curl", "--disable", "--silent", "--show-error", "--insecure", "--ssl-reqd", "--max-time", "15", "--write-out", "%{size_download}", "--output", "{dir}/large.bin", "ftp://198.51.100.9/large.bin"] }
expect = { status = 0, stdout = "300000", client-sent = "AUTH TLS", gateway = "silent" }
"#,
    )));
}
