//! Gateways other than FTP's (RFC 4787 REQ-10, RFC 5382 REQ-6): whether what applications say of addresses is edited, and
//! whether ports open that they speak of.

use quirknat_router::packet::TcpFlags;

use crate::check::executor::Bench;
use crate::check::packets::{Header, What, datagram};
use crate::check::subject::Side;

use super::connection::Connection;
use super::endpoints::{Kind, knock};
use crate::check::findings::Findings;

const TFTP: u16 = 69;
const SIP: u16 = 5060;
/// No application has it.
const PLAIN: u16 = 5999;

/// Gateways for UDP: SIP's and TFTP's.
pub(super) async fn udp(bench: Bench) -> Findings {
    let mut found = Findings::default();
    let (host, server) = (bench.inside(0, 0), bench.remote(0, SIP));
    let invitation = invitation(*host.at.ip(), host.at.port(), "UDP");
    bench.send(Side::Lan, datagram(host.at, server.at, Header::default(), invitation.as_bytes()));
    let invited = bench.expect(server, |seen| seen.what == What::Udp).await;
    let untouched = invited.as_ref().is_some_and(|seen| seen.payload() == invitation.as_bytes());

    // A TFTP server answers from another port. That gets in because of a gateway if it does not where TFTP is not.
    let mut answered = Vec::new();
    for (number, port) in [(1, PLAIN), (2, TFTP)] {
        let (host, server) = (bench.inside(1, number), bench.remote(1, port));
        bench.send(Side::Lan, datagram(host.at, server.at, Header::default(), b"\0\x01file\0octet\0"));
        let request = bench.expect(server, |seen| seen.what == What::Udp).await;
        let got_in = match request {
            Some(request) => {
                knock(&bench, Kind::Udp, bench.remote(1, 40_000 + number), request.source, host).await
            }
            None => false,
        };
        answered.push(got_in);
    }
    let opened = answered == [false, true];
    let evidence = format!(
        "an INVITE to port {SIP} {}; a TFTP server's answer from another port {}",
        if untouched { "passed unchanged" } else { "was edited or lost" },
        match answered[..] {
            [false, true] => "came, though other datagrams do not",
            [true, true] => "came, as other datagrams do",
            _ => "did not come, as no other datagram does",
        }
    );
    found.judge("4787-10", untouched && !opened, evidence);
    found
}

/// Gateways for TCP: SIP's, IRC's, RTSP's.
pub(super) async fn tcp(bench: Bench) -> Findings {
    const RTSP: u16 = 554;
    const IRC: u16 = 6667;
    let mut found = Findings::default();
    let host = bench.inside(0, 0);
    let ip = *host.at.ip();
    let number = u32::from(ip);
    let texts = [
        (SIP, "an INVITE", invitation(ip, host.at.port(), "TCP")),
        (IRC, "a DCC SEND", format!("PRIVMSG you :\u{1}DCC SEND file {number} 40001 1000\u{1}\r\n")),
        (
            RTSP,
            "a SETUP",
            format!(
                "SETUP rtsp://server/ RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP;unicast;destination={ip};client_port=40002-40003\r\n\r\n"
            ),
        ),
    ];
    let mut edited = Vec::new();
    for (index, (port, name, text)) in (0..).zip(&texts) {
        let (host, server) = (bench.inside(0, index), bench.remote(0, *port));
        let passed = async {
            let mut connection = Connection::open(&bench, host, server).await?;
            connection.outbound(TcpFlags::ACK | TcpFlags::PSH, text.as_bytes()).await
        };
        if passed.await.is_none_or(|seen| seen.payload() != text.as_bytes()) {
            edited.push(format!("{name} to port {port}"));
        }
    }
    let all =
        texts.iter().map(|(port, name, _)| format!("{name} to port {port}")).collect::<Vec<_>>().join(", ");
    let evidence = if edited.is_empty() {
        format!("{all} passed unchanged")
    } else {
        format!("edited or lost: {}", edited.join(", "))
    };
    found.judge("5382-6", edited.is_empty(), evidence);
    found
}

fn invitation(ip: std::net::Ipv4Addr, port: u16, transport: &str) -> String {
    let body = format!(
        "v=0\r\no=me 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
    );
    format!(
        "INVITE sip:you@example.org SIP/2.0\r\nVia: SIP/2.0/{transport} {ip}:{port};branch=z9hG4bKq\r\n\
         From: <sip:me@{ip}>;tag=1\r\nTo: <sip:you@example.org>\r\nCall-ID: quirknat@{ip}\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:me@{ip}:{port}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
