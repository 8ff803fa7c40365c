//! Servers against a probe that names other hosts, and comes from other hosts.

use std::process::Command;

use quirknat_sim::scenario::{StepVerdict, Verdict};

use super::{as_toml, in_lab, seen};
use crate::support::process::command;
use crate::support::requirement::{Requirement, met};
use crate::support::scratch::Scratch;
use crate::support::server::{PASSWORD, Server, Told};

const PROBE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/support/ftp_probe.py");
const OTHER: &str = "198.51.100.77";

/// On the standard port and as it is.
const PLAIN: (&str, &str, u16) = ("plain", "198.51.100.9", 21);
/// On another port, and told what to announce: [`told`].
const AWARE: (&str, &str, u16) = ("aware", "198.51.100.10", 2121);

fn told() -> Told {
    Told { address: std::net::Ipv4Addr::new(203, 0, 113, 7), ports: 40000..=40003 }
}

/// A client, another host, and the two servers.
fn network(plain: &str, aware: &str) -> String {
    format!(
        r#"title = "measured"
[host.pc]
on = "internet"
address = "198.51.100.50"
[host.other]
on = "internet"
address = "{OTHER}"
[host.plain]
on = "internet"
address = "198.51.100.9"
{plain}
[host.aware]
on = "internet"
address = "198.51.100.10"
{aware}
"#
    )
}

fn of_programs(server: Server, scratch: &Scratch) -> String {
    let program = |port: u16, told: Option<&Told>| {
        format!("program = [{{ listens = {port}, {} }}]", as_toml(&server.command(scratch, port, told)))
    };
    network(&program(PLAIN.2, None), &program(AWARE.2, Some(&told())))
}

fn of_data(server: Server) -> String {
    let software = server.software();
    let Told { address, ports } = told();
    let range = format!("{}-{}", ports.start(), ports.end());
    network(
        &format!(r#"ftp-server = {{ port = 21, software = "{software}" }}"#),
        &format!(
            r#"ftp-server = {{ port = 2121, software = "{software}", passive-address = "{address}", passive-ports = "{range}" }}"#
        ),
    )
}

/// The probes, one step each; the last is two side by side.
fn steps(user: &str, file: &str) -> String {
    let probe = |(host, address, port): (&str, &str, u16), words: &[&str], more: &str| {
        let mut probe = command("python3");
        probe.args([PROBE, address, &port.to_string(), user, PASSWORD, file]).args(words);
        run(&probe, "pc", &format!("server = \"{host}\", "), more)
    };
    let peer = {
        let mut peer = command("python3");
        peer.args([PROBE, "peer"]);
        run(&peer, "other", "", "")
    };
    [
        probe(PLAIN, &["known"], ""),
        probe(PLAIN, &["source"], ""),
        probe(AWARE, &["source"], ""),
        probe(PLAIN, &["no-command"], ""),
        probe(PLAIN, &["foreign-port", OTHER], ""),
        probe(PLAIN, &["foreign-port", "10.9.9.9"], ""),
        probe(PLAIN, &["announced", "1024", "65535"], ""),
        probe(AWARE, &["announced", "40000", "40003"], ""),
    ]
    .map(|step| format!("[[step]]\n{step}"))
    .concat()
        + &format!(
            "[[step]]\n[[step.parallel]]\n{peer}[[step.parallel]]\n{}",
            probe(PLAIN, &["foreign-peer", OTHER], "after = \"500 ms\"\n")
        )
}

fn run(command: &Command, on: &str, server: &str, more: &str) -> String {
    format!("{more}run = {{ on = \"{on}\", {server}time-limit = \"40 s\", {} }}\n", as_toml(command))
}

/// What the wires saw of each probe: the class of reply that each command had, the address announced, and the data
/// connections at the server's end. How a server words what it does not serve, and when, is its own affair.
fn behaviour(verdict: &Verdict) -> Vec<String> {
    let [steps @ .., peer] = verdict.steps.as_slice() else { return Vec::new() };
    let mut told: Vec<String> = steps.iter().map(of_probe).collect();
    let served = classes(peer).ends_with("1 2");
    told.push(format!("foreign peer served: {served}"));
    told
}

fn of_probe(step: &StepVerdict) -> String {
    let (sent, data) = (seen(step, "client-sent"), seen(step, "data-syn-at-server"));
    let set_up = ["PORT", "EPRT", "PASV"].iter().any(|verb| sent.contains(verb));
    if !set_up && sent.contains("RETR") {
        return format!("no command; data: {data}");
    }
    // Some servers dial once they have an EPRT, others when there is something to send.
    let data = if sent.contains("EPRT") { "" } else { data };
    format!("status {}: {}; data: {data}", seen(step, "status"), classes(step))
}

fn classes(step: &StepVerdict) -> String {
    seen(step, "client-saw").lines().filter_map(class).collect::<Vec<_>>().join(" ")
}

/// A reply's first digit, with the address that a 227 announces; `None`: it is not a reply's last line, or a farewell.
fn class(line: &str) -> Option<String> {
    let (code, text) = line.split_at_checked(3)?;
    let is_last = code.bytes().all(|byte| byte.is_ascii_digit()) && text.starts_with(' ');
    let address = || text.split(['(', ')']).nth(1).map(|six| six.splitn(5, ',').take(4).collect::<Vec<_>>());
    (is_last && code != "221").then(|| match code {
        "227" => format!("2 ({})", address().unwrap_or_default().join(".")),
        _ => code[..1].to_owned(),
    })
}

fn measured(server: Server) {
    let needs = [Requirement::Root, Requirement::Tun, Requirement::Program("python3")];
    if !met(&[&needs[..], &server.requirements()].concat()) {
        return;
    }
    let scratch = Scratch::new();
    scratch.directory("root", 0o755);
    scratch.directory("root/pub", 0o1777);
    scratch.write("root/pub/readme.txt", [b'x'; 1024]);
    let real = format!("{}{}", of_programs(server, &scratch), steps(server.user(), "pub/readme.txt"));
    let data = format!("{}{}", of_data(server), steps("anonymous", "readme.txt"));
    let (real, data) = (behaviour(&in_lab(&real)), behaviour(&in_lab(&data)));
    let differ: Vec<String> = real
        .iter()
        .zip(&data)
        .filter(|(real, data)| real != data)
        .map(|(real, data)| format!("real: {real}\ndata: {data}\n"))
        .collect();
    assert!(differ.is_empty(), "{server:?}\n{}", differ.join("\n"));
    assert_eq!(real.len(), data.len());
}

#[test]
fn vsftpd_does_as_its_data_says() {
    measured(Server::Vsftpd);
}

#[test]
fn proftpd_does_as_its_data_says() {
    measured(Server::Proftpd);
}

#[test]
fn pure_ftpd_does_as_its_data_says() {
    measured(Server::PureFtpd);
}

#[test]
fn pyftpdlib_does_as_its_data_says() {
    measured(Server::Pyftpdlib);
}
