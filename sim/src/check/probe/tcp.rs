//! Handshakes, unsolicited SYNs, and ICMP errors about connections (RFC 5382 REQ-2, 4, 9, 10).

use std::net::SocketAddrV4;

use quirknat_router::packet::{IcmpError, TcpFlags};
use smoltcp::time::Duration;

use crate::check::executor::{Bench, End};
use crate::check::packets::{Seen, Segment, What, error_about};
use crate::check::report::Verdict;
use crate::check::subject::Side;

use super::connection::Connection;
use super::connection::FIRST_SEQUENCE;
use super::endpoints::{Kind, outside};
use super::lifetime::needs;
use crate::check::findings::Findings;

const SYN: u8 = TcpFlags::SYN;
const ACK: u8 = TcpFlags::ACK;
const FIN: u8 = TcpFlags::FIN;
const WEB: u16 = 80;

/// Every legal handshake.
pub(super) async fn handshakes(bench: Bench) -> Findings {
    let mut found = Findings::default();
    let three_way = three_way(&bench).await;
    let simultaneous = simultaneous(&bench).await;
    let from_outside = from_outside(&bench).await;
    let word = |passed: bool| if passed { "passed" } else { "did not" };
    let evidence = format!(
        "a three-way handshake, data and a half-closed connection {}; a simultaneous open {}; a handshake from outside {}",
        word(three_way),
        word(simultaneous),
        from_outside.map_or("is not permitted", word)
    );
    found.judge("5382-2", three_way && simultaneous && from_outside != Some(false), evidence);
    found
}

/// Opened by three segments, used, closed on one side, used on the other, closed.
async fn three_way(bench: &Bench) -> bool {
    let passed = async {
        let mut connection = Connection::open(bench, bench.inside(0, 0), bench.remote(0, WEB)).await?;
        connection.outbound(ACK | TcpFlags::PSH, b"question").await?;
        connection.inbound(ACK | TcpFlags::PSH, b"answer").await?;
        connection.outbound(FIN | ACK, b"").await?;
        connection.inbound(ACK, b"more of it").await?;
        connection.outbound(ACK, b"").await?;
        connection.inbound(FIN | ACK, b"").await?;
        connection.outbound(ACK, b"").await
    };
    passed.await.is_some()
}

/// Both ends' SYNs cross (RFC 9293 §3.5, figure 7).
async fn simultaneous(bench: &Bench) -> bool {
    let (inside, remote) = (bench.inside(1, 1), bench.remote(1, WEB));
    let passed = async {
        let external = outside(bench, Kind::Tcp, inside, remote).await?;
        let mut connection = Connection::half_open(bench, inside, remote, external);
        let (ours, theirs) = (connection.sent, connection.replied);
        connection.inbound(SYN, b"").await?;
        connection.push_out(Segment::new(SYN | ACK, ours - 1, theirs + 1)).await?;
        bench.send(Side::Wan, Segment::new(SYN | ACK, theirs, ours).between(remote.at, external));
        bench.expect(inside, |seen| seen.flags().has(SYN | ACK)).await?;
        connection.outbound(ACK, b"question").await?;
        connection.inbound(ACK, b"answer").await
    };
    passed.await.is_some()
}

/// A connection from outside to a mapping that is there; `None` where its SYN is not let in.
async fn from_outside(bench: &Bench) -> Option<bool> {
    let (inside, remote) = (bench.inside(2, 2), bench.remote(2, WEB));
    let external = outside(bench, Kind::Tcp, inside, remote).await?;
    let stranger = bench.remote(2, WEB + 1);
    bench.send(Side::Wan, Kind::Tcp.first(stranger.at, external));
    bench.expect(inside, |seen| seen.source == stranger.at).await?;
    let another = bench.remote(2, WEB + 2);
    let passed = async {
        let mut connection = Connection::open_from_outside(bench, another, external, inside).await?;
        connection.inbound(ACK, b"question").await?;
        connection.outbound(ACK, b"answer").await
    };
    Some(passed.await.is_some())
}

/// RFC 5382 REQ-4.
const SILENCE: u32 = 6;
/// A second more, for a clock that ticks in seconds, and one for the answer.
const WATCHED: u32 = 8;

/// SYNs that nobody asked for.
pub(super) async fn unsolicited(bench: Bench) -> Findings {
    const ID: &str = "5382-4";
    let mut found = Findings::default();
    let external = |port: u16| SocketAddrV4::new(bench.site().wan(), bench.inside(0, port).at.port());
    let (alone, crossed) = (bench.remote(0, 4000), bench.remote(1, 4001));
    let begin = bench.now();
    bench.send(Side::Wan, Segment::new(SYN, FIRST_SEQUENCE, 0).between(alone.at, external(1)));
    bench.send(Side::Wan, Segment::new(SYN, FIRST_SEQUENCE, 0).between(crossed.at, external(2)));
    // The second one's connection is opened from inside, if the port is kept.
    let opened = outside(&bench, Kind::Tcp, bench.inside(0, 2), crossed).await;
    let is_crossed = opened == Some(external(2));

    let watched = WATCHED.min(bench.limits().longest.max(1));
    let until = begin + Duration::from_secs(watched.into());
    let answer = bench.receive_until(Side::Wan, *alone.at.ip(), until).await;
    let after = (bench.now() - begin).secs();
    let answer_to_crossed =
        if is_crossed { bench.receive_until(Side::Wan, *crossed.at.ip(), until).await } else { None };
    let meanwhile = match (is_crossed, &answer_to_crossed) {
        (false, _) => String::new(),
        (true, None) => "; to one whose connection was opened from inside meanwhile, none".to_owned(),
        (true, Some(seen)) => {
            format!("; to one whose connection was opened from inside meanwhile, {}", words(seen))
        }
    };
    match answer {
        Some(seen) if after < u64::from(SILENCE) => {
            found.judge(ID, false, format!("{} after {after} s{meanwhile}", words(&seen)));
        }
        _ if answer_to_crossed.is_some() => found.judge(ID, false, format!("no answer in time{meanwhile}")),
        Some(seen) => found.judge(ID, true, format!("{} after {after} s{meanwhile}", words(&seen))),
        None if watched < WATCHED => {
            found.say(
                ID,
                Verdict::NotMeasured,
                format!("no answer for {watched} s{meanwhile}; {}", needs(WATCHED)),
            );
        }
        None => found.judge(ID, true, format!("no answer at all{meanwhile}")),
    }
    found
}

fn words(seen: &Seen) -> String {
    match seen.what {
        What::Tcp { flags, .. } if flags.has(TcpFlags::RST) => "a RST".to_owned(),
        What::Error { kind, code } => format!("an ICMP error of type {kind}, code {code},"),
        _ => "a packet".to_owned(),
    }
}

/// ICMP errors about a connection, from its other end and from a router on the way.
pub(super) async fn errors(bench: Bench) -> Findings {
    let mut found = Findings::default();
    let (inside, remote) = (bench.inside(0, 0), bench.remote(0, WEB));
    let Some(mut connection) = Connection::open(&bench, inside, remote).await else {
        for id in ["5382-9", "5382-10"] {
            found.say(id, Verdict::NotApplicable, "no connection could be opened");
        }
        return found;
    };
    let mut told = Vec::new();
    let mut translated = true;
    for error in [IcmpError::HostUnreachable, IcmpError::PortUnreachable, IcmpError::TimeExceeded] {
        let Some(segment) = connection.outbound(ACK, b"data").await else { break };
        let result = inbound_error(&bench, error, &segment, bench.remote(9, 0), inside).await;
        if error != IcmpError::TimeExceeded {
            translated &= result == Came::Translated;
            told.push(format!("{} {}", name(error), result.words()));
        }
    }
    found.judge(
        "5382-9",
        translated && told.len() == 2,
        format!("{} (to {} from {})", told.join(", "), inside.at, bench.remote(9, 0).at.ip()),
    );
    let passes = connection.is_open().await && connection.outbound(ACK, b"data").await.is_some();
    let word = if passes { "passed" } else { "did not pass" };
    let evidence = format!(
        "after host and port unreachable and time exceeded, segments between {} and {} {word}",
        inside.at, remote.at
    );
    found.judge("5382-10", passes, evidence);
    found
}

/// What came of an error from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// With the packet that it quotes as its sender knows it.
    Translated,
    /// With another one.
    Otherwise,
    /// Not at all.
    Not,
}

impl Came {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Translated => "came with its own packet in it",
            Self::Otherwise => "came, and quotes a packet that is not its own",
            Self::Not => "did not come",
        }
    }
}

pub(super) fn name(error: IcmpError) -> &'static str {
    match error {
        IcmpError::TimeExceeded => "time exceeded",
        IcmpError::NetUnreachable => "network unreachable",
        IcmpError::HostUnreachable => "host unreachable",
        IcmpError::ProtocolUnreachable => "protocol unreachable",
        IcmpError::PortUnreachable => "port unreachable",
        IcmpError::Prohibited => "communication prohibited",
        IcmpError::FragmentationNeeded { .. } => "fragmentation needed",
    }
}

/// Sends an error about a packet that came out, from a router on the way, and looks for it inside.
pub(super) async fn inbound_error(
    bench: &Bench,
    error: IcmpError,
    about: &Seen,
    router: End,
    inside: End,
) -> Came {
    let Some(packet) = error_about(error, &about.bytes, *router.at.ip()) else { return Came::Not };
    let sent = Seen::read(packet.clone()).map(|seen| seen.what);
    bench.send(Side::Wan, packet);
    match bench.expect(inside, |seen| seen.quoted().is_some()).await {
        None => Came::Not,
        Some(seen) => match seen.quoted() {
            Some(quoted) if quoted.source == inside.at && quoted.is_whole && Some(seen.what) == sent => {
                Came::Translated
            }
            _ => Came::Otherwise,
        },
    }
}
