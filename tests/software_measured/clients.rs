//! Clients against the built-in server, which lacks this, refuses that, or announces what cannot be reached.

use quirknat_sim::scenario::StepVerdict;

use super::{as_toml, in_lab, seen, simulated};
use crate::support::client::{Client, Direction, Mode, TOLD_ADDRESS, TOLD_PORTS, Transfer};
use crate::support::requirement::{Requirement, met};
use crate::support::scratch::Scratch;
use crate::support::server::Server;

/// How a server behaves, and what of the client's behaviour that brings out.
struct Case {
    name: &'static str,
    ftp_server: &'static str,
    /// Where it is: on the public network, or behind a router that forwards its control port and no other.
    on: &'static str,
}

const fn case(name: &'static str, ftp_server: &'static str) -> Case {
    Case { name, ftp_server, on: "internet" }
}

const CASES: [Case; 10] = [
    case("plain", ""),
    case("no-epsv", r#"lacks = ["epsv"]"#),
    case("no-passive", r#"lacks = ["epsv", "pasv"]"#),
    case("port-alone", r#"lacks = ["epsv", "pasv", "eprt"]"#),
    case("no-eprt", r#"lacks = ["eprt"]"#),
    case("no-active", r#"lacks = ["eprt", "port"]"#),
    // Another host, where nobody listens.
    case("elsewhere", r#"lacks = ["epsv"], passive-address = "198.51.100.77""#),
    case("private", r#"lacks = ["epsv"], passive-address = "10.9.9.9""#),
    // Neither EPSV nor PASV lead to an open port, and the router says so.
    Case { name: "not-opened", ftp_server: r#"passive-address = "203.0.113.8""#, on: "office" },
    Case {
        name: "pasv-not-opened",
        ftp_server: r#"lacks = ["epsv"], passive-address = "203.0.113.9""#,
        on: "shop",
    },
];

impl Case {
    fn address(&self, index: usize) -> String {
        match self.on {
            "office" => "203.0.113.8".to_owned(),
            "shop" => "203.0.113.9".to_owned(),
            _ => format!("198.51.100.{}", 100 + index),
        }
    }

    fn host(&self, index: usize) -> String {
        let Self { name, ftp_server, on } = self;
        let address = if *on == "internet" { self.address(index) } else { "192.168.1.10".to_owned() };
        format!("[host.{name}]\non = \"{on}\"\naddress = \"{address}\"\nftp-server = {{ {ftp_server} }}\n")
    }
}

/// The client on the public network, and every case's server.
fn network() -> String {
    let hosts: String = CASES.iter().enumerate().map(|(index, case)| case.host(index)).collect();
    format!(
        r#"title = "measured"
[network.office]
lan = "192.168.1.1/24"
router = {{ profile = "linksys-befsr41-1.39", set = {{ "wan.unsolicited-tcp" = "reset" }}, wan = "203.0.113.8", forward = ["tcp/21=192.168.1.10"] }}
[network.shop]
lan = "192.168.1.1/24"
router = {{ profile = "linksys-befsr41-1.39", set = {{ "wan.unsolicited-tcp" = "reset" }}, wan = "203.0.113.9", forward = ["tcp/21=192.168.1.10"] }}
[host.pc]
on = "internet"
address = "198.51.100.50"
[host.elsewhere-else]
on = "internet"
address = "198.51.100.77"
{hosts}"#
    )
}

fn real_step(client: Client, mode: Mode, case: &Case, index: usize, scratch: &Scratch) -> String {
    let transfer = Transfer {
        mode,
        server: Server::Vsftpd,
        host: &case.address(index),
        port: 21,
        remote: "readme.txt",
        local: &scratch.directory("fetched", 0o755).join("readme.txt"),
        direction: Direction::Fetch,
    };
    let command = as_toml(&client.command(&transfer, scratch));
    format!(
        "[[step]]\nrun = {{ on = \"pc\", server = \"{}\", time-limit = \"40 s\", {command} }}\n",
        case.name
    )
}

fn data_step(client: Client, mode: Mode, case: &Case) -> String {
    let told = match mode {
        Mode::OwnActive => active(client).to_owned(),
        Mode::OwnTold => {
            format!(r#"{} announce = "{TOLD_ADDRESS}", data-ports = "{TOLD_PORTS}","#, active(client))
        }
        _ => String::new(),
    };
    let expect = told_is_announced(mode);
    format!(
        "[[step]]\n{expect}ftp = {{ client = \"pc\", server = \"{}\", software = \"{}\", {told} patience = \"6 s\", get = \"readme.txt\" }}\n",
        case.name,
        client.software()
    )
}

/// From [`TOLD_PORTS`]: 195 × 256 + 80 is 50000.
fn told_is_announced(mode: Mode) -> String {
    let pattern =
        format!("tcp 198.51.100.50:* > *:21 \\\"PORT {},195,8*\\\"", TOLD_ADDRESS.replace('.', ","));
    if mode == Mode::OwnTold {
        format!("expect.packets.\"internet.pc\" = [\"{pattern}\"]\n")
    } else {
        String::new()
    }
}

/// What it begins with when told to have the server dial.
fn active(client: Client) -> &'static str {
    match client {
        Client::Curl | Client::Tnftp => r#"mode = "eprt","#,
        _ => r#"mode = "port","#,
    }
}

/// What both must have in common: the commands that set up data connections, in their order and with what they announce,
/// and who dialled whom for data, as often as it happened.
fn behaviour(step: &StepVerdict) -> String {
    let is_set_up = |line: &&str| {
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        ["PORT", "PASV", "EPRT", "EPSV"].contains(&verb.as_str())
    };
    let commands: Vec<&str> = seen(step, "client-sent").lines().filter(is_set_up).collect();
    format!("{}\ndata: {}", commands.join("\n"), seen(step, "data-syn-at-client"))
}

/// Plays every case with the real client and with its data; tells of every difference.
fn compare(client: Client, mode: Mode) -> Vec<String> {
    let scratch = Scratch::new();
    let real: String = CASES
        .iter()
        .enumerate()
        .map(|(index, case)| real_step(client, mode, case, index, &scratch))
        .collect();
    let data: String = CASES.iter().map(|case| data_step(client, mode, case)).collect();
    let (real, data) = (in_lab(&format!("{}{real}", network())), simulated(&format!("{}{data}", network())));
    for step in real.steps.iter().chain(&data.steps) {
        assert!(step.mismatches.is_empty(), "{client:?}, {mode:?}: {step:#?}");
    }
    let both = CASES.iter().zip(real.steps.iter().zip(&data.steps));
    let differ = both.filter_map(|(case, (real, data))| {
        let (real, data) = (behaviour(real), behaviour(data));
        (real != data)
            .then(|| format!("── {client:?}, {mode:?}, {}\nreal:\n{real}\n\ndata:\n{data}\n", case.name))
    });
    differ.collect()
}

fn measured(client: Client, modes: &[Mode]) {
    if !met(&[Requirement::Root, Requirement::Tun, client.requirement()]) {
        return;
    }
    let differ: Vec<String> = modes.iter().flat_map(|mode| compare(client, *mode)).collect();
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn curl_does_as_its_data_says() {
    measured(Client::Curl, &[Mode::Own, Mode::OwnActive, Mode::OwnTold]);
}

#[test]
fn lftp_does_as_its_data_says() {
    measured(Client::Lftp, &[Mode::Own, Mode::OwnActive, Mode::OwnTold]);
}

#[test]
fn ncftp_does_as_its_data_says() {
    measured(Client::Ncftp, &[Mode::Own, Mode::OwnActive]);
}

#[test]
fn wget_does_as_its_data_says() {
    measured(Client::Wget, &[Mode::Own, Mode::OwnActive]);
}

#[test]
fn tnftp_does_as_its_data_says() {
    measured(Client::Tnftp, &[Mode::Own, Mode::OwnActive]);
}

#[test]
fn ftplib_does_as_its_data_says() {
    measured(Client::Ftplib, &[Mode::Own, Mode::OwnActive]);
}
