//! What most probes do: open a translation and look at it from outside, and knock at it.

use std::net::SocketAddrV4;

use quirknat_router::packet::TcpFlags;

use crate::check::executor::{Bench, End};
use crate::check::packets::{Header, Seen, Segment, What, datagram, echo};
use crate::check::subject::Side;

use super::connection::{Connection, FIRST_SEQUENCE};

/// A protocol with ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Udp,
    Tcp,
}

impl Kind {
    /// What a first packet of it is called.
    pub(super) fn packet(self) -> &'static str {
        match self {
            Self::Udp => "datagram",
            Self::Tcp => "SYN",
        }
    }

    /// Its first packet between two endpoints.
    pub(super) fn first(self, from: SocketAddrV4, to: SocketAddrV4) -> Vec<u8> {
        match self {
            Self::Udp => datagram(from, to, Header::default(), b"quirknat"),
            Self::Tcp => Segment::new(TcpFlags::SYN, FIRST_SEQUENCE, 0).between(from, to),
        }
    }

    pub(super) fn is(self, seen: &Seen) -> bool {
        match self {
            Self::Udp => seen.what == What::Udp,
            Self::Tcp => seen.flags().has(TcpFlags::SYN),
        }
    }
}

/// Sends a first packet out; gives the source that it has outside. `None`: it did not get there.
pub(super) async fn outside(bench: &Bench, kind: Kind, inside: End, remote: End) -> Option<SocketAddrV4> {
    bench.send(Side::Lan, kind.first(inside.at, remote.at));
    bench.expect(remote, |seen| kind.is(seen)).await.map(|seen| seen.source)
}

/// The same, and for TCP the whole handshake.
pub(super) async fn opened(bench: &Bench, kind: Kind, inside: End, remote: End) -> Option<SocketAddrV4> {
    match kind {
        Kind::Udp => outside(bench, kind, inside, remote).await,
        Kind::Tcp => Connection::open(bench, inside, remote).await.map(|connection| connection.external),
    }
}

/// Sends a first packet from outside to an external endpoint; whether it gets to `inside`.
pub(super) async fn knock(bench: &Bench, kind: Kind, from: End, external: SocketAddrV4, inside: End) -> bool {
    bench.send(Side::Wan, kind.first(from.at, external));
    bench.expect(inside, |seen| kind.is(seen) && seen.source == from.at).await.is_some()
}

/// Names external endpoints for people: by number where the port is the host's own, by letter where it is another. So
/// what is said of a router that draws its ports is the same each time.
#[derive(Debug, Default)]
pub(super) struct Names {
    others: Vec<SocketAddrV4>,
}

impl Names {
    pub(super) fn of(&mut self, external: SocketAddrV4, own: u16) -> String {
        if external.port() == own {
            return external.to_string();
        }
        let place = self.others.iter().position(|other| *other == external).unwrap_or_else(|| {
            self.others.push(external);
            self.others.len() - 1
        });
        let letter = char::from(b'p' + u8::try_from(place.min(9)).unwrap_or_default());
        format!("{}:{letter}", external.ip())
    }
}

/// Sends an echo request out, its identifier in the place of a port; gives its source outside, likewise.
pub(super) async fn echoed(bench: &Bench, inside: End, remote: End) -> Option<SocketAddrV4> {
    bench.send(Side::Lan, echo(true, *inside.at.ip(), *remote.at.ip(), inside.at.port()));
    let any = End { at: SocketAddrV4::new(*remote.at.ip(), 0), ..remote };
    bench.expect(any, |seen| seen.what == What::Echo { request: true }).await.map(|seen| seen.source)
}

/// Sends an echo reply to an external address and identifier; whether it gets to `inside`.
pub(super) async fn echo_answered(bench: &Bench, from: End, external: SocketAddrV4, inside: End) -> bool {
    bench.send(Side::Wan, echo(false, *from.at.ip(), *external.ip(), external.port()));
    let answer = What::Echo { request: false };
    bench.expect(inside, |seen| seen.what == answer && seen.source.ip() == from.at.ip()).await.is_some()
}
