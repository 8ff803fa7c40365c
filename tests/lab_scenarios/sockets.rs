//! Datagrams, connections and echoes.

use crate::{assert_alike, assert_as_expected, at_home, can_lab, in_lab};

fn check(text: &str) {
    if can_lab() {
        assert_alike(text);
    }
}

#[test]
fn datagrams_and_their_answers() {
    check(&at_home(
        r#"
[[step]]
udp = { client = "pc", server = "server", port = 5000, source-port = 4000, times = 3, every = "5ms" }
expect = { outcome = "ok", answered = 3, arrived = 3, seen-from = "203.0.113.7:4000" }

[[step]]
udp = { client = "pc", server = "server", port = 5001, request = 5000, answer = 20000 }
expect = { outcome = "ok", answered = 1, seen-from = "203.0.113.7:*" }

# Nobody is there: no answer, and an ICMP error about it harms nobody.
[[step]]
udp = { client = "pc", server = "server", port = 5002, to = "198.51.100.9:9", patience = "100ms" }
expect = { outcome = "failed", answered = 0, arrived = 0 }
"#,
    ));
}

#[test]
fn a_connection_with_many_requests_and_with_long_ones() {
    check(&at_home(
        r#"
[[step]]
tcp = { client = "pc", server = "server", port = 7, times = 20 }
expect = { outcome = "ok", answered = 20, arrived = 20, seen-from = "203.0.113.7:*" }

[[step]]
tcp = { client = "pc", server = "server", port = 7, source-port = 3000, request = 1000000, answer = 2000000, times = 2 }
expect = { outcome = "ok", answered = 2, arrived = 2 }
"#,
    ));
}

#[test]
fn echoes_small_large_and_too_short_lived() {
    check(&at_home(
        r#"
[[step]]
ping = { from = "pc", to = "server", count = 3, every = "10ms" }
expect = { outcome = "ok", answered = 3 }

[[step]]
ping = { from = "pc", to = "server", length = 20000 }
expect = { outcome = "ok", answered = 1 }

[[step]]
ping = { from = "pc", to = "server", ttl = 1 }
expect = { outcome = "failed", answered = 0, icmp-error = "time-exceeded from 192.168.1.1" }

[[step]]
ping = { from = "pc", to = "198.51.100.77", patience = "100ms" }
expect = { outcome = "failed", answered = 0 }
"#,
    ));
}

#[test]
fn the_first_packet_may_be_as_long_as_its_wires_take() {
    let jumbo = r#"
[host.jumbo]
on = "internet"
address = "198.51.100.20"
link = { mtu = 9000 }

[host.other]
on = "internet"
address = "198.51.100.21"
link = { mtu = 9000 }

[[step]]
ping = { from = "jumbo", to = "other", length = 8000 }

[step.expect]
outcome = "ok"
no-packets = { "internet.other" = ["ip 198.51.100.20 > 198.51.100.21 fragment=*"] }
"#;
    check(&at_home(jumbo));
}

#[test]
fn a_refused_connection_is_not_an_unreachable_one() {
    let steps = r#"
[internet]
private-destinations = "net-unreachable"

[[step]]
tcp = { client = "pc", server = "server", port = 7, to = "198.51.100.9:8" }
expect = { outcome = "failed", arrived = 0 }

[[step]]
tcp = { client = "pc", server = "server", port = 7, to = "10.0.0.1:8" }
expect = { outcome = "failed", arrived = 0 }

[[step]]
ping = { from = "pc", to = "10.0.0.1" }
expect = { outcome = "failed", icmp-error = "net-unreachable from 192.0.2.1" }
"#;
    check(&at_home(steps));
    if can_lab() {
        let steps = steps.replacen("outcome = \"failed\"", "outcome = \"ok\"", 2);
        let verdict = in_lab(&at_home(&steps));
        let words: Vec<&str> =
            verdict.steps.iter().flat_map(|step| &step.mismatches).map(|it| it.seen.as_str()).collect();
        assert_eq!(words.len(), 2, "{words:?}");
        assert!(words[0].contains("refused") && words[1].contains("unreachable"), "{words:?}");
    }
}

#[test]
fn two_hours_of_nothing_take_a_translation_and_two_seconds() {
    let text = at_home(
        r#"
[[step]]
udp = { client = "pc", server = "server", port = 5000, source-port = 4000 }
expect = { outcome = "ok", translations = { home = 1 } }

[[step]]
wait = "2h"
expect = { translations = { home = 0 } }

[[step]]
udp = { client = "pc", server = "server", port = 5000, source-port = 4000 }
expect = { outcome = "ok", translations = { home = 1 } }
"#,
    );
    check(&text);
}

#[test]
fn a_wire_with_delay_and_loss_slows_a_kernel_and_does_not_stop_it() {
    if !can_lab() {
        return;
    }
    let text = at_home(
        r#"
[[step]]
link = { wire = "home.wan", both = { delay = "20ms", loss = 0.05 } }

[[step]]
tcp = { client = "pc", server = "server", port = 7, request = 100000, patience = "30s" }
expect = { outcome = "ok", answered = 1 }
"#,
    );
    assert_as_expected(&in_lab(&text));
}
