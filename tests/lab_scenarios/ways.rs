//! Ways to have data connections made: one after the other, ports in turn, commands in pieces, a server that dials late.

use super::{assert_alike, at_home, can_lab};

const WIRE: &str = "home.lan.pc";

#[test]
fn a_refused_way_is_followed_by_the_next() {
    if !can_lab() {
        return;
    }
    assert_alike(&at_home(
        r#"ftp-server = { lacks = ["epsv", "eprt"] }

[[step]]
ftp = { client = "pc", server = "server", mode = "epsv", fallback = ["eprt", "pasv"], get = "readme.txt" }

[step.expect]
control = "ok"
data = "ok"
mode = "pasv"
client-sent = "EPSV"
client-saw = "502 Command not implemented."
packets = { "internet.server" = ["tcp 203.0.113.7:* > 198.51.100.9:21 \"EPRT *\"", "tcp 203.0.113.7:* > 198.51.100.9:21 \"PASV\\r\\n\""] }
"#,
    ));
}

#[test]
fn a_data_connection_that_does_not_come_is_followed_by_the_next_way_if_the_client_is_so() {
    if !can_lab() {
        return;
    }
    let step = |when: &str, expect: &str| {
        format!(
            r#"
[[step]]
ftp = {{ client = "pc", server = "server", port = 2121, mode = "port", data-port = 16683, fallback = ["pasv"], {when} patience = "20 s" }}
expect = {{ control = "ok", data-syn-at-server = "198.51.100.9:2120 > 192.168.1.100:16683", {expect} }}
"#
        )
    };
    let server = "ftp-server = { port = 2121, foreign-port = \"accept\", data-timeout = \"2 s\" }\n";
    let steps = [
        step("", "data = \"ok\", mode = \"pasv\", client-saw = \"425 Failed to establish connection.\""),
        step("fallback-on = [\"refused\"],", "data = \"failed\", reply = 425"),
    ];
    assert_alike(&at_home(&format!("{server}{}", steps.concat())));
}

#[test]
fn a_client_listens_on_the_ports_it_was_told() {
    if !can_lab() {
        return;
    }
    assert_alike(&at_home(
        r#"ftp-server = { port = 2121, foreign-port = "accept", data-timeout = "1 s" }

[[step]]
[[step.parallel]]
ftp = { client = "pc", server = "server", port = 2121, mode = "port", data-ports = "50000-50001", announce = "203.0.113.7" }
expect = { control = "ok", data = "failed", client-sent = "PORT 203,0,113,7,195,80", cause = "data-port-not-forwarded" }

[[step.parallel]]
after = "500 ms"
ftp = { client = "pc", server = "server", port = 2121, mode = "port", data-ports = "50000-50001", announce = "203.0.113.7" }
expect = { control = "ok", data = "failed", client-sent = "PORT 203,0,113,7,195,81", cause = "data-port-not-forwarded" }
"#,
    ));
}

#[test]
fn a_command_in_pieces_crosses_in_segments_and_the_gateway_misses_it() {
    if !can_lab() {
        return;
    }
    let packet = |payload: &str| format!("\"tcp 192.168.1.100:* > 198.51.100.9:21 \\\"{payload}\\\"\"");
    let step = |segments: &str, pieces: &[&str]| {
        let pieces: Vec<_> = pieces.iter().map(|piece| packet(piece)).collect();
        format!(
            r#"
[[step]]
ftp = {{ client = "pc", server = "server", mode = "port", data-port = 16683, segments = {segments} }}

[step.expect]
control = "ok"
data = "failed"
reply = 500
server-saw = "PORT 192,168,1,100,65,43"
packets."{WIRE}" = [{}]
"#,
            pieces.join(", ")
        )
    };
    let line_end = "\\\\r\\\\n";
    let rest = format!("T 192,168,1,100,65,43{line_end}");
    let steps = [step("[3]", &["POR", &rest, "USE"]), step("1", &["P", "O", "R", "T", " ", ","])];
    assert_alike(&at_home(&format!("ftp-server = {{}}\n{}", steps.concat())));
}

#[test]
fn a_server_that_dials_late_does_so_in_time_for_a_patient_client() {
    if !can_lab() {
        return;
    }
    assert_alike(&at_home(
        r#"ftp-server = { data-delay = "1500 ms" }

[[step]]
ftp = { client = "pc", server = "server", mode = "port", data-port = 16683, get = "readme.txt" }
expect = { control = "ok", data = "ok", data-syn-at-client = "198.51.100.9:20 > 192.168.1.100:16683" }

[[step]]
ftp = { client = "pc", server = "server", mode = "port", data-port = 16683, get = "readme.txt", patience = "1 s" }
expect = { control = "ok", data = "failed", reply = 425, data-syn-at-client = "198.51.100.9:20 > 192.168.1.100:16683" }
"#,
    ));
}
