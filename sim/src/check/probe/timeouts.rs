//! How long idle translations of each kind live, and what makes them live longer (RFC 4787 §4.3, RFC 5382 §5).

use quirknat_router::packet::{IcmpError, TcpFlags};
use smoltcp::time::Duration;

use crate::check::executor::{Bench, End};
use crate::check::packets::{echo, error_about};
use crate::check::report::Verdict;
use crate::check::subject::Side;

use super::connection::Connection;
use super::endpoints::{Kind, echo_answered, echoed, knock, outside};
use super::lifetime::{Lifetime, lifetime, needs, no_step, text};
use super::side_by_side::both;
use crate::check::findings::Findings;

const ACK: u8 = TcpFlags::ACK;
const PEER: u16 = 3478;
const TWO_MINUTES: u32 = 120;
const FOUR_MINUTES: u32 = 240;
const TWO_HOURS_FOUR_MINUTES: u32 = 7440;
/// RFC 5508 REQ-2.
const QUERY: u32 = 60;
/// Routers may take an exchange for one only when it has gone on for some seconds (Linux: 2).
const EXCHANGE: Duration = Duration::from_secs(3);

struct Udp {
    inside: End,
    remote: End,
    external: std::net::SocketAddrV4,
}

async fn datagram_out(bench: &Bench, host: u32, number: u16) -> Option<Udp> {
    let (inside, remote) = (bench.inside(host, number + 250 * u16::from(host > 0)), bench.remote(host, PEER));
    let external = outside(bench, Kind::Udp, inside, remote).await?;
    Some(Udp { inside, remote, external })
}

impl Udp {
    async fn gets_in(&self, bench: &Bench) -> bool {
        knock(bench, Kind::Udp, self.remote, self.external, self.inside).await
    }

    /// A datagram each way.
    async fn exchange(&self, bench: &Bench) {
        outside(bench, Kind::Udp, self.inside, self.remote).await;
        self.gets_in(bench).await;
    }
}

/// UDP of which one side has sent, and of which both have more than once; what refreshes it.
pub(super) async fn udp(bench: Bench) -> Findings {
    let mut found = Findings::default();
    let open = async |number| datagram_out(&bench, 0, number).await;
    let exchanged = async |number| {
        let udp = datagram_out(&bench, 1, number).await?;
        udp.gets_in(&bench).await.then_some(udp)
    };
    let settle = async |udp: &mut Udp| udp.exchange(&bench).await;
    let one_way = lifetime(&bench, open, no_step(), async |udp: &mut Udp| udp.gets_in(&bench).await);
    let is_alive = async |udp: &mut Udp| udp.gets_in(&bench).await;
    let two_way = lifetime(&bench, exchanged, Some((EXCHANGE, settle)), is_alive);
    let (one_way, two_way) = both(one_way, two_way).await;
    let told = [("one side has sent", one_way), ("both have", two_way)];
    found.judge_all("4787-5", &told.map(|(when, lives)| (when, lives.judge(TWO_MINUTES))));
    for (key, lives) in [("timeouts.udp", one_way), ("timeouts.udp-answered", two_way)] {
        found.lives(key, lives);
    }
    refreshed(&bench, one_way, &mut found).await;
    found
}

/// RFC 4787 REQ-6 and RFC 7857 §7, which take a lifetime and a half.
async fn refreshed(bench: &Bench, lives: Lifetime, found: &mut Findings) {
    const IDS: [&str; 2] = ["4787-6", "7857-7"];
    let seconds = match lives {
        Lifetime::Of(seconds) if seconds > 2 => seconds,
        Lifetime::Longer(seconds) => {
            for id in IDS {
                let why = format!(
                    "an idle mapping lives {} and longer; that one refreshed lives on shows after its end",
                    text(seconds)
                );
                found.say(id, Verdict::NotMeasured, why);
            }
            return;
        }
        Lifetime::Of(_) | Lifetime::None => {
            for id in IDS {
                found.say(id, Verdict::NotApplicable, "no mapping lives long enough");
            }
            return;
        }
    };
    let longest = bench.limits().longest;
    let over = seconds + seconds / 2;
    if over > longest {
        for id in IDS {
            found.say(id, Verdict::NotMeasured, format!("it lives {}; {}", text(seconds), needs(over)));
        }
        return;
    }
    // Its first use after three quarters of its lifetime; another half later the first lifetime is over.
    let (first, second) =
        (Duration::from_millis(u64::from(seconds) * 750), Duration::from_millis(u64::from(seconds) * 500));
    let (Some(refreshed), Some(refused)) =
        (datagram_out(bench, 2, 200).await, datagram_out(bench, 2, 201).await)
    else {
        return;
    };
    let stranger = bench.remote(9, PEER);
    bench.sleep(first).await;
    outside(bench, Kind::Udp, refreshed.inside, refreshed.remote).await;
    let got_in = knock(bench, Kind::Udp, stranger, refused.external, refused.inside).await;
    bench.sleep(second).await;
    let lives_on = refreshed.gets_in(bench).await;
    let told = if lives_on { "was still there" } else { "was gone" };
    let evidence = format!(
        "a mapping that lives {} and was sent through after {} {told} after {}",
        text(seconds),
        text(seconds * 3 / 4),
        text(seconds * 5 / 4)
    );
    found.judge("4787-6", lives_on, evidence);
    if got_in {
        found.say("7857-7", Verdict::NotApplicable, "a datagram from elsewhere is let in, not refused");
        return;
    }
    let lives_on = refused.gets_in(bench).await;
    let told = if lives_on { "was still there" } else { "was gone" };
    let evidence = format!(
        "a mapping that refused {}'s datagram after {} {told} after {}",
        stranger.at,
        text(seconds * 3 / 4),
        text(seconds * 5 / 4)
    );
    found.judge("7857-7", !lives_on, evidence);
}

async fn connect(bench: &Bench, number: u16) -> Option<Connection> {
    Connection::open(bench, bench.inside(0, number), bench.remote(0, 80)).await
}

/// An established connection.
pub(super) async fn tcp_established(bench: Bench) -> Findings {
    let mut found = Findings::default();
    let open = async |number| connect(&bench, number).await;
    let lives = lifetime(&bench, open, no_step(), async |one: &mut Connection| one.is_open().await).await;
    let (verdict, told) = lives.judge(TWO_HOURS_FOUR_MINUTES);
    found.say("5382-5-established", verdict, told);
    found.lives("timeouts.tcp-established", lives);
    found
}

/// Connections that open and that close: both are transitory.
pub(super) async fn tcp_transitory(bench: Bench) -> Findings {
    let mut found = Findings::default();
    let syn_sent = async |number| {
        let (inside, remote) = (bench.inside(0, number), bench.remote(0, 80));
        let external = outside(&bench, Kind::Tcp, inside, remote).await?;
        Some(Connection::half_open(&bench, inside, remote, external))
    };
    let answered = async |one: &mut Connection| one.inbound(TcpFlags::SYN | ACK, b"").await.is_some();
    let fins = async |number: u16| {
        let (inside, remote) = (bench.inside(1, number), bench.remote(1, 80));
        let mut connection = Connection::open(&bench, inside, remote).await?;
        connection.outbound(TcpFlags::FIN | ACK, b"").await?;
        connection.inbound(TcpFlags::FIN | ACK, b"").await?;
        connection.outbound(ACK, b"").await?;
        Some(connection)
    };
    let closed = async |number: u16| fins(200 + number).await;
    let opening = lifetime(&bench, syn_sent, no_step(), answered);
    let closing = lifetime(&bench, closed, no_step(), async |one: &mut Connection| one.is_open().await);
    let (opening, closing) = both(opening, closing).await;
    let told = [("after a SYN", opening), ("after both FINs", closing)];
    let told = told.map(|(when, lives)| (when, lives.judge(FOUR_MINUTES)));
    for id in ["5382-5-transitory", "7857-2.1"] {
        found.judge_all(id, &told);
    }
    for (key, lives) in [("timeouts.tcp-opening", opening), ("timeouts.tcp-closing", closing)] {
        found.lives(key, lives);
    }
    found
}

/// A connection that a RST from outside ended.
pub(super) async fn tcp_reset(bench: Bench) -> Findings {
    let mut found = Findings::default();
    let Some(mut connection) = connect(&bench, 0).await else {
        found.say("7857-2.2", Verdict::NotApplicable, "no connection could be opened");
        return found;
    };
    let passed = connection.inbound(TcpFlags::RST, b"").await.is_some();
    if !passed {
        found.judge(
            "7857-2.2",
            false,
            format!("a RST of {} did not come to {}", connection.remote.at, connection.inside.at),
        );
        return found;
    }
    let open = async |number: u16| {
        let mut connection = connect(&bench, number + 1).await?;
        connection.inbound(TcpFlags::RST, b"").await?;
        Some(connection)
    };
    let lives = lifetime(&bench, open, no_step(), async |one: &mut Connection| one.is_open().await).await;
    let (verdict, told) = lives.judge(FOUR_MINUTES);
    found.say("7857-2.2", verdict, format!("a RST from outside passed; after that {told}"));
    found.lives("timeouts.tcp-reset", lives);
    found
}

struct Query {
    inside: End,
    remote: End,
    external: std::net::SocketAddrV4,
}

async fn query(bench: &Bench, number: u16) -> Option<Query> {
    let (inside, remote) = (bench.inside(0, number), bench.remote(0, 0));
    let external = echoed(bench, inside, remote).await?;
    Some(Query { inside, remote, external })
}

impl Query {
    async fn is_answered(&self, bench: &Bench) -> bool {
        echo_answered(bench, self.remote, self.external, self.inside).await
    }

    /// An error about it from a router on the way.
    fn refuse(&self, bench: &Bench) {
        let asked = echo(true, *self.external.ip(), *self.remote.at.ip(), self.external.port());
        let error = error_about(IcmpError::HostUnreachable, &asked, *bench.remote(9, 0).at.ip());
        if let Some(error) = error {
            bench.send(Side::Wan, error);
        }
    }
}

/// An ICMP query, and whether errors about it refresh or end it.
pub(super) async fn icmp(bench: Bench) -> Findings {
    let mut found = Findings::default();
    let open = async |number| query(&bench, number).await;
    let lives =
        lifetime(&bench, open, no_step(), async |one: &mut Query| one.is_answered(&bench).await).await;
    let (verdict, told) = lives.judge(QUERY);
    found.say("5508-2", verdict, told);
    found.lives("timeouts.icmp", lives);
    errors_about_queries(&bench, lives, &mut found).await;
    found
}

async fn errors_about_queries(bench: &Bench, lives: Lifetime, found: &mut Findings) {
    const ID: &str = "5508-6";
    const LIVES: &str = "after an error about it the answer still came";
    let (Some(ended), Some(refreshed)) = (query(bench, 400).await, query(bench, 401).await) else {
        found.say(ID, Verdict::NotApplicable, "no query gets out");
        return;
    };
    ended.refuse(bench);
    if !ended.is_answered(bench).await {
        let told =
            format!("after an error about it the answer to {}'s query did not come", ended.inside.at.ip());
        found.judge(ID, false, told);
        return;
    }
    match lives {
        Lifetime::Of(seconds) if seconds + seconds / 2 <= bench.limits().longest => {
            bench.sleep(Duration::from_millis(u64::from(seconds) * 750)).await;
            refreshed.refuse(bench);
            bench.sleep(Duration::from_millis(u64::from(seconds) * 500)).await;
            let lives_on = refreshed.is_answered(bench).await;
            let told = if lives_on { "still there" } else { "gone" };
            let evidence = format!(
                "{LIVES}; a mapping that lives {}, with an error about it after {}, was {told} after {}",
                text(seconds),
                text(seconds * 3 / 4),
                text(seconds * 5 / 4)
            );
            found.judge(ID, !lives_on, evidence);
        }
        Lifetime::Of(seconds) => {
            found.say(
                ID,
                Verdict::NotMeasured,
                format!("{LIVES}; that it refreshes nothing {}", needs(seconds * 3 / 2)),
            );
        }
        Lifetime::Longer(_) | Lifetime::None => {
            found.say(
                ID,
                Verdict::NotMeasured,
                format!("{LIVES}; that it refreshes nothing shows after the mapping's end"),
            );
        }
    }
}
