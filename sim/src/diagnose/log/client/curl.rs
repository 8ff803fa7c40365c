//! `curl -v`, with `--trace-time` or without, and `--trace-ascii` and `--trace`.

use std::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::time::Instant;

use super::ONLY;
use crate::diagnose::log::Dialect;
use crate::diagnose::log::book::Book;
use crate::diagnose::log::note::Remark;
use crate::diagnose::log::text::MAX_LINE;
use crate::diagnose::log::{stamp, words};
use crate::session::{Fate, Speaker};

#[derive(Debug, Default)]
pub(in crate::diagnose::log) struct Curl {
    /// The control connection stands.
    connected: bool,
    /// A data connection is being dialled. curl 7 names the control connection's end when it says that it is there.
    dialling: bool,
    /// In a trace: whose bytes the lines with offsets are.
    block: Option<Block>,
}

#[derive(Debug)]
struct Block {
    speaker: Speaker,
    at: Option<Instant>,
    text: String,
}

/// Whether a line can only be curl's.
pub(in crate::diagnose::log) fn recognises(line: &str) -> bool {
    let (_, line) = stamp::take(after_meter(line));
    let info = line.strip_prefix("* ").or_else(|| line.strip_prefix("== Info: "));
    if let Some(info) = info {
        let info = info.trim_start();
        return [
            "Trying ",
            "Connected to ",
            "Connecting to ",
            "Entry path",
            "Connect data stream",
            "Closing connection",
        ]
        .iter()
        .any(|start| info.starts_with(start));
    }
    line.starts_with("=> Send header") || line.starts_with("<= Recv header")
}

/// Whether a line carries a part of an FTP dialogue as curl writes it.
pub(in crate::diagnose::log) fn speaks(line: &str) -> bool {
    let (_, line) = stamp::take(after_meter(line));
    line.strip_prefix("> ").is_some_and(words::is_command)
        || line.strip_prefix("< ").is_some_and(words::is_reply)
        || line.strip_prefix("0000: ").is_some_and(|text| words::is_command(text) || words::is_reply(text))
}

impl Dialect for Curl {
    fn take(&mut self, line: &str, book: &mut Book) {
        let (at, line) = stamp::take(after_meter(line));
        if let Some(text) = bytes_of_trace(line) {
            if let Some(block) = self.block.as_mut().filter(|block| block.text.len() < MAX_LINE) {
                block.text.push_str(&text);
            }
            return;
        }
        // What is not curl's may stand between the lines of a header.
        if !["* ", "> ", "< ", "== ", "=> ", "<= ", "curl: ("].iter().any(|mark| line.starts_with(mark)) {
            return;
        }
        self.finish(book);
        if let Some(info) = line.strip_prefix("* ").or_else(|| line.strip_prefix("== Info: ")) {
            self.told(at, info.trim(), book);
        } else if let Some(command) = line.strip_prefix("> ").filter(|text| words::is_command(text)) {
            book.command(ONLY, at, command);
        } else if let Some(reply) = line.strip_prefix("< ") {
            book.reply(ONLY, at, reply);
        } else if line.starts_with("=> Send header") {
            self.block = Some(Block { speaker: Speaker::Client, at, text: String::new() });
        } else if line.starts_with("<= Recv header") {
            self.block = Some(Block { speaker: Speaker::Server, at, text: String::new() });
        } else if line.starts_with("curl: (") && self.dialling {
            self.failed(at, line, book);
        }
    }

    fn finish(&mut self, book: &mut Book) {
        let Some(block) = self.block.take() else { return };
        match block.speaker {
            Speaker::Client if words::is_command(&block.text) => book.command(ONLY, block.at, &block.text),
            Speaker::Client => {}
            Speaker::Server => book.reply(ONLY, block.at, &block.text),
        }
    }
}

impl Curl {
    fn told(&mut self, at: Option<Instant>, info: &str, book: &mut Book) {
        if let Some(to) = info.strip_prefix("Trying ") {
            self.tries(to, book);
        } else if info.starts_with("Connected 2nd connection")
            || info.starts_with("Connection accepted from server")
        {
            self.dialling = false;
            book.fate(ONLY, at, None, Fate::Opened);
        } else if info.starts_with("Connected to ") || info.starts_with("Established connection to ") {
            self.stands(at, info, book);
        } else if info.starts_with("Connecting to ") {
            self.dialling = true;
            book.dials(ONLY, at, Speaker::Client, words::ip_port(info));
        } else if let Some(skipped) = info.strip_prefix("Skip ") {
            replaced(skipped, book);
        } else if info.starts_with("connect to ") || info.starts_with("Failed to connect") {
            self.failed(at, info, book);
        } else if info.starts_with("Accept timeout") || info.contains("waiting server connect") {
            book.fate(ONLY, at, None, Fate::NoAnswer);
        } else if self.dialling
            && (info.starts_with("Connection timed out") || info.starts_with("Operation timed out"))
        {
            self.failed(at, info, book);
        } else if info.starts_with("Closing connection") || info.starts_with("shutting down connection") {
            self.connected = false;
            self.dialling = false;
        }
    }

    /// `198.51.100.9:21...`, for the control connection first, then for each data connection.
    fn tries(&mut self, to: &str, book: &mut Book) {
        if self.connected {
            return;
        }
        book.begin(ONLY);
        let end = words::ip_colon_port(to);
        let ip = end.map(|end| *end.ip()).or_else(|| words::ipv4(to));
        book.server(ONLY, ip, end.map(|end| end.port()));
    }

    fn stands(&mut self, at: Option<Instant>, info: &str, book: &mut Book) {
        if self.dialling {
            self.dialling = false;
            book.fate(ONLY, at, None, Fate::Opened);
            return;
        }
        self.connected = true;
        // "Connected to name (address) port 21 (#0)", "Established connection to name (address port 21) from …"
        let (there, here) =
            info.split_once(" from ").map_or((info, None), |(there, here)| (there, Some(here)));
        if let Some(end) = words::ip_port(there) {
            book.server(ONLY, Some(*end.ip()), Some(end.port()));
        }
        if let Some(end) = here.and_then(words::ip_port) {
            book.client(ONLY, Some(*end.ip()), Some(end.port()));
        }
        book.established(ONLY, true);
    }

    fn failed(&mut self, at: Option<Instant>, info: &str, book: &mut Book) {
        if self.dialling {
            if let Some(fate) = words::fate(info) {
                book.fate(ONLY, at, None, fate);
            }
        } else if !self.connected {
            book.established(ONLY, false);
        }
    }
}

/// `192.168.1.100 for data connection, re-use 203.0.113.7 instead` (up to 7.x; since then `uses …`).
fn replaced(text: &str, book: &mut Book) {
    let Some(announced) = book.passive(ONLY) else { return };
    let mut addresses = text.split([' ', ',']).filter_map(|word| word.parse::<Ipv4Addr>().ok());
    let (Some(skipped), Some(used)) = (addresses.next(), addresses.next()) else { return };
    // curl says so where both are the same, too.
    if skipped != used {
        let dialled = SocketAddrV4::new(used, announced.port());
        book.remark(ONLY, Remark::AddressReplaced { announced, dialled });
    }
}

/// Without `--silent`, the progress meter's line is not ended before the next message.
fn after_meter(line: &str) -> &str {
    const UNKNOWN: &str = "--:--:--";
    let Some((meter, rest)) = line.rfind(UNKNOWN).and_then(|at| line.split_at_checked(at)) else {
        return line;
    };
    let rest = rest.get(UNKNOWN.len()..).unwrap_or_default();
    let message =
        rest.trim_start().trim_start_matches(|letter: char| letter.is_ascii_alphanumeric() || letter == '.');
    let is_meter = meter.trim_start().starts_with(|letter: char| letter.is_ascii_digit());
    if is_meter && ["* ", "< ", "> ", "{ ", "} "].iter().any(|mark| message.starts_with(mark)) {
        message
    } else {
        line
    }
}

/// The text of `0000: USER anonymous`, and of the same with 16 bytes in hexadecimal before it.
fn bytes_of_trace(line: &str) -> Option<String> {
    let (offset, text) = line.split_once(": ")?;
    if offset.len() < 4 || !offset.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some(of_hexadecimal(text).unwrap_or_else(|| text.to_owned()))
}

fn of_hexadecimal(text: &str) -> Option<String> {
    /// Sixteen bytes of two digits and a space each.
    const WIDTH: usize = 48;
    let (column, shown) = text.split_at_checked(WIDTH)?;
    let bytes: Vec<u8> = column
        .split_ascii_whitespace()
        .map(|pair| u8::from_str_radix(pair, 16))
        .collect::<Result<_, _>>()
        .ok()?;
    let is_dump = !bytes.is_empty() && column.split_ascii_whitespace().all(|pair| pair.len() == 2);
    (is_dump && shown.chars().count() == bytes.len())
        .then(|| String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned())
}
