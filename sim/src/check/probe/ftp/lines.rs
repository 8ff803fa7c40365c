//! Which lines a gateway reads, and which it leaves alone.

use crate::check::executor::Bench;
use crate::check::report::Verdict;
use crate::ftp::format_host_port;

use super::super::connection::Connection;
use super::control::{Control, announced};
use super::dial;
use crate::check::findings::Findings;

const NO_CONTROL: &str = "no control connection could be opened";

/// RFC 2428 §4: EPSV ALL says that nothing will need a gateway any more.
pub(super) async fn epsv_all(bench: &Bench, found: &mut Findings) {
    const ID: &str = "2428-4";
    const PASSIVE: &str = "229 Entering Extended Passive Mode (|||40001|)\r\n";
    let transfer = async {
        let mut control = Control::open(bench, 0, 20).await?;
        let all = control.say("EPSV ALL\r\n").await? == "EPSV ALL\r\n";
        control.reply("200 ok\r\n").await?;
        let one = control.say("EPSV\r\n").await? == "EPSV\r\n";
        let reply = control.reply(PASSIVE).await? == PASSIVE;
        let data = Connection::open(bench, bench.inside(0, 21), control.server_at(40_001)).await.is_some();
        Some((all && one && reply, data))
    };
    let (unchanged, data) = transfer.await.unwrap_or_default();
    let evidence = format!(
        "EPSV ALL, EPSV and its reply {}; the data connection {}",
        if unchanged { "passed unchanged" } else { "were edited or lost" },
        if data { "opened" } else { "did not open" }
    );
    found.judge(ID, unchanged && data, evidence);
}

/// RFC 6384 §5, RFC 4217 §4: after AUTH TLS there are records, whatever they look like inside.
pub(super) async fn encrypted(bench: &Bench, found: &mut Findings) {
    let record = |inner: &str| {
        let mut record = vec![0x17, 3, 3, 0, u8::try_from(inner.len()).unwrap_or_default()];
        record.extend_from_slice(inner.as_bytes());
        record
    };
    let data = bench.inside(0, 31);
    let inner = format!("..\r\nPORT {}\r\n", format_host_port(data.at));
    let exchange = async {
        let mut control = Control::open(bench, 0, 30).await?;
        let asked = control.say("AUTH TLS\r\n").await? == "AUTH TLS\r\n";
        control.reply("234 go on\r\n").await?;
        let record = record(&inner);
        let seen = control.send(&record).await?;
        Some(asked && seen.payload() == record)
    };
    let unchanged = exchange.await.unwrap_or_default();
    let word = if unchanged { "passed unchanged" } else { "was edited or lost" };
    found.judge(
        "4217",
        unchanged,
        format!("after AUTH TLS a record with a PORT command's bytes in it {word}"),
    );
}

/// RFC 2577 §3: a port under 1024 is a service's, not a transfer's.
pub(super) async fn low_port(bench: &Bench, found: &mut Findings) {
    const ID: &str = "2577-3";
    let Some(mut control) = Control::open(bench, 0, 40).await else {
        found.say(ID, Verdict::NotApplicable, NO_CONTROL);
        return;
    };
    let service = bench.inside_at(0, 514);
    let line = control.say(format!("PORT {}\r\n", format_host_port(service.at))).await;
    let told = line.as_deref().map_or("nothing", str::trim_end);
    let external = std::net::SocketAddrV4::new(bench.site().wan(), service.at.port());
    let external =
        line.as_deref().and_then(announced).filter(|to| to.ip() == external.ip()).unwrap_or(external);
    let came = dial(bench, control.server_at(20), external, service).await;
    let word = if came { "got to" } else { "did not get to" };
    found.judge(
        ID,
        !came,
        format!("of a PORT for {} the server saw `{told}`; dialled, it {word} the host", service.at),
    );
}

/// RFC 2428 §2.
pub(super) async fn delimiters(bench: &Bench, found: &mut Findings) {
    const ID: &str = "2428-2";
    let mut told = Vec::new();
    let mut holds = true;
    for (number, delimiter) in (0..).zip(['|', '!', '~']) {
        let number = 50 + 2 * number;
        let Some(mut control) = Control::open(bench, 0, number).await else {
            found.say(ID, Verdict::NotApplicable, NO_CONTROL);
            return;
        };
        let data = bench.inside(0, number + 1);
        let command =
            format!("EPRT |1|{}|{}|\r\n", data.at.ip(), data.at.port()).replace('|', &delimiter.to_string());
        let line = control.say(&command).await;
        let external = line.as_deref().and_then(announced).filter(|to| *to.ip() == bench.site().wan());
        if delimiter == '|' && external.is_none() {
            found.say(
                ID,
                Verdict::NotApplicable,
                format!(
                    "the gateway does not rewrite EPRT: the server saw `{}`",
                    line.as_deref().map_or("nothing", str::trim_end)
                ),
            );
            return;
        }
        let came = match external {
            Some(external) => dial(bench, control.server_at(20), external, data).await,
            None => false,
        };
        holds &= came;
        told.push(format!(
            "with `{delimiter}` {}",
            if came { "the data connection got in" } else { "it was not rewritten" }
        ));
    }
    found.judge(ID, holds, told.join(", "));
}

/// RFC 6384 §5.
pub(super) async fn split(bench: &Bench, found: &mut Findings) {
    const ID: &str = "6384-5";
    let Some(mut control) = Control::open(bench, 0, 60).await else {
        found.say(ID, Verdict::NotApplicable, NO_CONTROL);
        return;
    };
    let data = bench.inside(0, 61);
    let command = format!("PORT {}\r\n", format_host_port(data.at));
    let (head, tail) = command.split_at(command.len() / 2);
    let mut stream = control.say(head).await.unwrap_or_default();
    stream += &control.say(tail).await.unwrap_or_default();
    let external = announced(&stream).filter(|to| *to.ip() == bench.site().wan());
    let came = match external {
        Some(external) => dial(bench, control.server_at(20), external, data).await,
        None => false,
    };
    let word = if came { "got in" } else { "did not get in" };
    let evidence = format!(
        "of a PORT in two segments the server saw `{}`; its data connection {word}",
        stream.trim_end()
    );
    found.judge(ID, came, evidence);
}

/// RFC 6384 §7.
pub(super) async fn third_party(bench: &Bench, found: &mut Findings) {
    const ID: &str = "6384-7-third-party";
    let Some(mut control) = Control::open(bench, 0, 70).await else {
        found.say(ID, Verdict::NotApplicable, NO_CONTROL);
        return;
    };
    let other = bench.inside(2, 71);
    let command = format!("PORT {}\r\n", format_host_port(other.at));
    let line = control.say(&command).await;
    let unchanged = line.as_deref() == Some(&command);
    let told = line.as_deref().map_or("nothing", str::trim_end);
    let own = std::net::SocketAddrV4::new(bench.site().wan(), other.at.port());
    let external = line.as_deref().and_then(announced).filter(|to| to.ip() == own.ip()).unwrap_or(own);
    let came = dial(bench, control.server_at(20), external, other).await;
    let word = if came { "got to" } else { "did not get to" };
    let evidence = format!(
        "of a PORT for {}, another host, the server saw `{told}`; dialled, it {word} that host",
        other.at
    );
    found.judge(ID, unchanged && !came, evidence);
}
