//! FTP through a NAT: what a gateway does to a control connection, and which data connections it lets in.

mod control;
mod lines;
mod numbers;
mod server;
mod waits;

use std::net::SocketAddrV4;

use quirknat_router::packet::TcpFlags;

use crate::check::executor::{Bench, End};
use crate::check::report::Verdict;
use crate::ftp::format_host_port;

use super::connection::Connection;
use crate::check::findings::Findings;
use control::{Control, announced};

pub(super) use server::behind;
pub(super) use waits::{control_outlives, forward_waits};

const DEFAULT_DATA_PORT: u16 = 20;

/// The requirements that say nothing of a router without a gateway.
const OF_A_GATEWAY: [&str; 8] = [
    "959-5.2",
    "2428-2",
    "2663-7.1",
    "3022-4.4",
    "3027-4.1",
    "6384-5",
    "6384-7-mapping",
    "6384-7-third-party",
];

/// A client behind.
pub(super) async fn client(bench: Bench) -> Findings {
    let mut found = Findings::default();
    default_ports(&bench, &mut found).await;
    lines::epsv_all(&bench, &mut found).await;
    lines::encrypted(&bench, &mut found).await;
    lines::low_port(&bench, &mut found).await;
    match announce(&bench, 10).await {
        Announced::Rewritten { control, line, external, data } => {
            dialled(&bench, control, &line, external, data, &mut found).await;
            lines::delimiters(&bench, &mut found).await;
            lines::split(&bench, &mut found).await;
            lines::third_party(&bench, &mut found).await;
            numbers::followed(&bench, &mut found).await;
            numbers::oversize(&bench, &mut found).await;
        }
        Announced::Otherwise(why) => {
            for id in OF_A_GATEWAY {
                found.say(id, Verdict::NotApplicable, why.clone());
            }
        }
    }
    found
}

/// What became of a PORT.
enum Announced {
    /// The server got another address, of the router's.
    Rewritten { control: Control, line: String, external: SocketAddrV4, data: End },
    /// It did not, in words.
    Otherwise(String),
}

/// A control connection of its own, and PORT on it. Uses ports `number` and the next.
async fn announce(bench: &Bench, number: u16) -> Announced {
    let Some(mut control) = Control::open(bench, 0, number).await else {
        return Announced::Otherwise("no control connection could be opened".to_owned());
    };
    let data = bench.inside(0, number + 1);
    let command = format!("PORT {}\r\n", format_host_port(data.at));
    let Some(line) = control.say(&command).await else {
        return Announced::Otherwise(format!("no gateway: `{}` to port 21 was lost", command.trim_end()));
    };
    match announced(&line) {
        Some(external) if *external.ip() == bench.site().wan() => {
            Announced::Rewritten { control, line, external, data }
        }
        _ => Announced::Otherwise(format!("no gateway: `{}` came to port 21 as it is", line.trim_end())),
    }
}

/// Whether a data connection from `remote` gets to the client's `data` port.
async fn dial(bench: &Bench, remote: End, external: SocketAddrV4, data: End) -> bool {
    Connection::open_from_outside(bench, remote, external, data).await.is_some()
}

async fn dialled(
    bench: &Bench,
    control: Control,
    line: &str,
    external: SocketAddrV4,
    data: End,
    found: &mut Findings,
) {
    let server = control.server();
    let from = End { at: SocketAddrV4::new(*server.at.ip(), DEFAULT_DATA_PORT), ..server };
    let came = dial(bench, from, external, data).await;
    let word = if came { "got to" } else { "did not get to" };
    let line = line.trim_end();
    let evidence =
        format!("the server saw `{line}`; dialled from port {DEFAULT_DATA_PORT} it {word} {}", data.at);
    found.judge("959-5.2", came, evidence);
    // A second one: the first used its forward up.
    let (came, line) = match announce(bench, 12).await {
        Announced::Rewritten { control, line, external, data } => {
            (dial(bench, End { ..control.server_at(40_020) }, external, data).await, line)
        }
        Announced::Otherwise(why) => (false, why),
    };
    let word = if came { "got in" } else { "did not get in" };
    found.judge(
        "6384-7-mapping",
        came,
        format!("dialled as soon as `{}` came, a data connection {word}", line.trim_end()),
    );
}

/// RFC 959 §3.3: without PORT the data connection goes to the port of the control connection.
async fn default_ports(bench: &Bench, found: &mut Findings) {
    const ID: &str = "959-3.3";
    let Some(control) = Control::open(bench, 1, 1).await else {
        found.say(ID, Verdict::NotApplicable, "no control connection could be opened");
        return;
    };
    let client = control.client();
    let from = control.server_at(DEFAULT_DATA_PORT);
    bench.send(
        from.side,
        crate::check::packets::Segment::new(TcpFlags::SYN, 1, 0).between(from.at, control.external()),
    );
    let came = bench.expect(client, |seen| seen.source == from.at).await.is_some();
    let word = if came { "came" } else { "did not come" };
    found.judge(
        ID,
        came,
        format!("a SYN from {} to the control connection's port {word} to {}", from.at, client.at),
    );
}
