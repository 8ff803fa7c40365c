//! A server behind, which port 21 of the router's external address leads to.

use std::net::SocketAddrV4;

use quirknat_router::packet::TcpFlags;

use crate::check::executor::{Bench, End};
use crate::check::report::Verdict;
use crate::check::subject::Side;
use crate::ftp::{find_extended_port, find_host_port, format_host_port};

use super::super::connection::Connection;
use super::dial;
use crate::check::findings::Findings;

const FTP: u16 = 21;
const DATA: u8 = TcpFlags::ACK | TcpFlags::PSH;
const IDS: [&str; 2] = ["1123-4.1.2.6", "2428-3"];

/// What its passive replies become.
pub(in crate::check::probe) async fn behind(bench: Bench) -> Findings {
    let mut found = Findings::default();
    let not = |found: &mut Findings, verdict, why: &str| {
        for id in IDS {
            found.say(id, verdict, why);
        }
    };
    let Some(server) = bench.site().server else {
        not(
            &mut found,
            Verdict::NotMeasured,
            "no server is behind: lead port 21 to a LAN host and name it with --server",
        );
        return found;
    };
    let at = |port: u16| End { side: Side::Lan, at: SocketAddrV4::new(server, port) };
    let mut told = Vec::new();
    let mut holds = true;
    let data = bench.inside(0, 1).at.port();
    for (number, form) in
        (0..).zip(["227 Entering Passive Mode (@)", "227 Entering Passive Mode @", "227 =@"])
    {
        let text = form.replace('@', &format_host_port(at(data + number).at));
        let Some(reply) = reply(&bench, number, at(FTP), &text).await else {
            not(
                &mut found,
                Verdict::NotMeasured,
                &format!("port {FTP} of {} does not lead to {server}", bench.site().wan()),
            );
            return found;
        };
        let external = find_host_port(reply.get(4..).unwrap_or_default()).ok();
        let rewritten = external.filter(|external| *external.ip() == bench.site().wan());
        if number == 0 && rewritten.is_none() {
            let why = format!("no gateway for a server behind: `{}` came out as it is", reply.trim_end());
            not(&mut found, Verdict::NotApplicable, &why);
            return found;
        }
        let came = match rewritten {
            Some(external) => {
                dial(&bench, bench.remote(number.into(), 50_001), external, at(data + number)).await
            }
            None => false,
        };
        holds &= came;
        told.push(format!(
            "`{form}` {}",
            if came { "was read, and the data connection got in" } else { "was not" }
        ));
    }
    found.judge(IDS[0], holds, told.join("; "));
    extended(&bench, at(FTP), at(data + 9), &mut found).await;
    found
}

/// A reply of the server's on a control connection from outside, and as it comes out.
async fn reply(bench: &Bench, number: u16, server: End, text: &str) -> Option<String> {
    let external = SocketAddrV4::new(bench.site().wan(), FTP);
    let client = bench.remote(number.into(), 50_000);
    let mut connection = Connection::open_from_outside(bench, client, external, server).await?;
    connection.outbound(DATA, b"220 ready\r\n").await?;
    connection.inbound(DATA, b"USER anonymous\r\n").await?;
    connection.outbound(DATA, b"230 welcome\r\n").await?;
    let question: &[u8] = if text.starts_with("229") { b"EPSV\r\n" } else { b"PASV\r\n" };
    connection.inbound(DATA, question).await?;
    let seen = connection.outbound(DATA, format!("{text}\r\n").as_bytes()).await?;
    Some(String::from_utf8_lossy(seen.payload()).into_owned())
}

/// RFC 2428 §3.
async fn extended(bench: &Bench, server: End, data: End, found: &mut Findings) {
    let text = format!("229 Entering Extended Passive Mode (|||{}|)", data.at.port());
    let reply = reply(bench, 9, server, &text).await.unwrap_or_default();
    let Ok(port) = find_extended_port(&reply) else {
        found.judge(IDS[1], false, format!("of `{text}` the client saw `{}`", reply.trim_end()));
        return;
    };
    let external = SocketAddrV4::new(bench.site().wan(), port);
    let came = dial(bench, bench.remote(9, 50_001), external, data).await;
    let own = if port == data.at.port() { "the server's port" } else { "another port" };
    let word = if came { "got in" } else { "did not get in" };
    found.judge(IDS[1], came, format!("the client saw `(|||port|)` with {own}; its data connection {word}"));
}
