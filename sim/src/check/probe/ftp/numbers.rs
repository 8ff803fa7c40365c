//! Sequence numbers, acknowledgements and sizes after a line has changed its length.

use quirknat_router::packet::TcpFlags;

use crate::check::executor::Bench;
use crate::check::packets::{Header, Segment};
use crate::check::report::Verdict;
use crate::ftp::format_host_port;

use super::super::connection::{acknowledgement, sequence};
use super::control::Control;
use crate::check::findings::Findings;

const DATA: u8 = TcpFlags::ACK | TcpFlags::PSH;

/// RFC 2663 §7.1 and RFC 3022 §4.4.
pub(super) async fn followed(bench: &Bench, found: &mut Findings) {
    const IDS: [&str; 2] = ["2663-7.1", "3022-4.4"];
    let not_applicable = |found: &mut Findings, why: String| {
        for id in IDS {
            found.say(id, Verdict::NotApplicable, why.clone());
        }
    };
    let Some(mut control) = Control::open(bench, 0, 80).await else {
        not_applicable(found, "no control connection could be opened".to_owned());
        return;
    };
    let command = format!("PORT {}\r\n", format_host_port(bench.inside(0, 81).at));
    let before = control.connection.sent;
    let Some(port) = control.send(command.as_bytes()).await else {
        not_applicable(found, "PORT was lost".to_owned());
        return;
    };
    let (was, is) = (command.len(), port.payload().len());
    if was == is {
        not_applicable(found, format!("PORT keeps its length, {was} bytes, between these addresses"));
        return;
    }
    // What follows must stand where the changed line ends, and the line, sent again, where it stood.
    let next = control.send(b"NOOP\r\n").await;
    let expected = sequence(&port).wrapping_add(u32::try_from(is).unwrap_or_default());
    let acknowledged = control.connection.expected;
    let follows =
        next.as_ref().is_some_and(|seen| sequence(seen) == expected && seen.payload() == b"NOOP\r\n");
    let again = Segment::new(DATA, before, control.connection.replied).with(command.as_bytes());
    let again = control.connection.push_out(again).await;
    let is_same = again
        .as_ref()
        .is_some_and(|seen| sequence(seen) == sequence(&port) && seen.payload() == port.payload());
    let evidence = format!(
        "PORT went from {was} bytes to {is}; the next command {}, PORT sent again {}",
        if follows { "followed without a gap" } else { "did not stand where it ends" },
        if is_same { "came the same" } else { "came otherwise" }
    );
    found.judge(IDS[0], follows && is_same, evidence);
    control.connection.expected = acknowledged;
    let reply = control.connection.inbound(DATA, b"200 ok\r\n").await;
    let holds = reply.as_ref().is_some_and(|seen| acknowledgement(seen) == control.connection.sent);
    let told = match reply {
        None => "the server's next reply was lost".to_owned(),
        Some(_) if holds => {
            "the server's acknowledgement of all came to the client as one of all it had sent".to_owned()
        }
        Some(seen) => {
            let off = i64::from(acknowledgement(&seen)) - i64::from(control.connection.sent);
            format!("the server's acknowledgement of all came to the client {off:+} bytes off")
        }
    };
    found.judge(IDS[1], holds, told);
}

/// RFC 3027 §4.1: a full segment with DF that begins with a PORT which grows.
pub(super) async fn oversize(bench: &Bench, found: &mut Findings) {
    const ID: &str = "3027-4.1";
    const HEADERS: usize = 40;
    let mtu = bench.site().wan_mtu;
    let Some(mut control) = Control::open(bench, 0, 90).await else {
        found.say(ID, Verdict::NotApplicable, "no control connection could be opened");
        return;
    };
    let data = bench.inside(0, 91);
    let wan = bench.site().wan();
    if wan.to_string().len() <= data.at.ip().to_string().len() {
        found.say(
            ID,
            Verdict::NotApplicable,
            format!("{wan} is no longer than {}: PORT does not grow", data.at.ip()),
        );
        return;
    }
    let mut text = format!("PORT {}\r\n", format_host_port(data.at)).into_bytes();
    text.extend_from_slice(b"NOOP ");
    text.resize(mtu - HEADERS - 2, b'x');
    text.extend_from_slice(b"\r\n");
    let connection = &mut control.connection;
    let segment = Segment {
        header: Header { dont_fragment: true, identification: 0 },
        ..Segment::new(DATA, connection.sent, connection.replied).with(&text)
    };
    let seen = connection.push_out(segment).await;
    let largest = seen.as_ref().map_or(0, |seen| seen.bytes.len());
    let edited = seen.as_ref().is_some_and(|seen| !text.starts_with(seen.payload()));
    let evidence = match (largest, edited) {
        (0, _) => format!("a segment of {mtu} bytes that begins with PORT did not come out"),
        _ if seen.as_ref().is_some_and(|seen| seen.payload().is_empty()) => {
            format!("a segment of {mtu} bytes that begins with PORT ended the session")
        }
        (_, true) => {
            format!("a segment of {mtu} bytes that begins with PORT came out with {largest}, rewritten")
        }
        (_, false) => {
            format!("a segment of {mtu} bytes that begins with PORT came out with {largest}, as it is")
        }
    };
    found.judge(ID, largest <= mtu, evidence);
}
