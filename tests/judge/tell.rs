//! A difference as text: the packets up to it, what the kernel made of the last and what the router did.

use std::fmt::Write as _;

use quirknat_sim::packet_text;

use super::Exchange;
use super::packets::{End, Left};

/// The exchanges as lines of packet text.
pub fn story(exchanges: &[Exchange]) -> String {
    let mut text = String::new();
    for (number, exchange) in exchanges.iter().enumerate() {
        let _ = writeln!(text, "{:3} {} {}", number + 1, exchange.from.name(), line(&exchange.packet));
        if !exchange.differs() {
            put(&mut text, "both", &exchange.kernel);
            continue;
        }
        put(&mut text, "kernel", &exchange.kernel);
        put(&mut text, "router", &exchange.router);
        for said in &exchange.said {
            let _ = writeln!(text, "    router says {said}");
        }
    }
    text
}

/// What kind of difference the last exchange is: what came in, how many packets left, and what the router says, without
/// numbers. Two of one kind are likely one fault.
pub fn kind(exchanges: &[Exchange]) -> String {
    let Some(Exchange { from, packet, kernel, router, said }) = exchanges.last() else {
        return String::new();
    };
    let first_word = line(packet).split(' ').next().map(str::to_owned).unwrap_or_default();
    let counts = |left: &Left| format!("{} lan, {} wan", left.lan.len(), left.wan.len());
    let telling = said.iter().filter(|event| !event.starts_with("translation"));
    let said: Vec<String> = telling.map(|event| without_numbers(event)).collect();
    let (kernel, router) = (counts(kernel), counts(router));
    format!("{first_word} from {}; kernel: {kernel}; router: {router}; {}", from.name(), said.join("; "))
}

fn without_numbers(text: &str) -> String {
    let words = text.split(' ').filter(|word| !word.contains(|character: char| character.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ")
}

fn put(text: &mut String, who: &str, left: &Left) {
    if left.is_empty() {
        let _ = writeln!(text, "    {who:6}  nothing");
    }
    for end in [End::Lan, End::Wan] {
        for packet in left.at(end) {
            let _ = writeln!(text, "    {who:6} {} {}", end.name(), line(packet));
        }
    }
}

/// A packet's line; of a long one its beginning.
fn line(packet: &[u8]) -> String {
    const LONGEST: usize = 400;
    let line = packet_text::print(packet);
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} octets)", &line[..end], packet.len()),
        None => line,
    }
}
