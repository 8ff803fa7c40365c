//! What two runs of a scenario may differ in by right, taken out of what is seen.
//!
//! An ephemeral port is any port at all: 49152 and up for simulated hosts (RFC 6335 §6), 32768 and up in Linux
//! (`ip_local_port_range`). So a port from 32768 on that the scenario does not name is written `*`, as an endpoint
//! (`192.168.1.100:*`), in the digits of PORT and 227 (`192,168,1,100,*,*`), and in EPRT and 229 (`|*|`); so is an
//! echo's identifier, which Linux may choose as it chooses a port. All else stays as it was.

use std::collections::BTreeSet;
use std::net::SocketAddrV4;

use crate::scenario::Scenario;
use crate::scenario::language::Step;

/// Linux's first ephemeral port.
const FIRST_EPHEMERAL: u16 = 32_768;

/// The ports that are masked: all ephemeral ones but these.
pub(super) struct Mask {
    named: BTreeSet<u16>,
}

impl Mask {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let mut named = BTreeSet::new();
        for server in scenario.host.values().filter_map(|host| host.ftp_server.as_ref()) {
            named.insert(server.port);
            named.extend(server.passive_ports.iter().flat_map(|range| range.first..=range.last));
        }
        note_steps(&scenario.step, &mut named);
        Self { named }
    }

    fn hides(&self, port: u16) -> bool {
        port >= FIRST_EPHEMERAL && !self.named.contains(&port)
    }

    pub(super) fn endpoint(&self, end: SocketAddrV4) -> String {
        if self.hides(end.port()) { format!("{}:*", end.ip()) } else { end.to_string() }
    }

    /// Any text: endpoints, and lines of a control connection.
    pub(super) fn text(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        // Numbers and what joins them, as one piece; all else as it is.
        while let Some(start) = rest.find(|letter: char| letter.is_ascii_digit() || letter == '|') {
            let (before, piece) = rest.split_at(start);
            let joins = |letter: char| letter.is_ascii_digit() || ".,:|".contains(letter);
            let (piece, after) = piece.split_at(piece.find(|letter| !joins(letter)).unwrap_or(piece.len()));
            masked.push_str(before);
            masked.push_str(&self.piece(piece));
            rest = after;
        }
        masked.push_str(rest);
        masked
    }

    fn piece(&self, piece: &str) -> String {
        let hidden = |port: &str| port.parse().is_ok_and(|port| self.hides(port));
        let core = piece.trim_end_matches(['.', ',', ':']);
        let tail = piece.get(core.len()..).unwrap_or_default();
        if let Some((address, port)) = core.rsplit_once(':')
            && hidden(port)
        {
            return format!("{address}:*{tail}");
        }
        let numbers: Vec<&str> = core.split(',').collect();
        if let [a, b, c, d, high, low] = *numbers
            && let (Ok(high), Ok(low)) = (high.parse::<u8>(), low.parse::<u8>())
            && self.hides(u16::from_be_bytes([high, low]))
        {
            return format!("{a},{b},{c},{d},*,*{tail}");
        }
        if let Some((before, port)) = core.strip_suffix('|').and_then(|core| core.rsplit_once('|'))
            && hidden(port)
        {
            return format!("{before}|*|{tail}");
        }
        piece.to_owned()
    }
}

fn note_steps(steps: &[Step], named: &mut BTreeSet<u16>) {
    for step in steps {
        if let Some(ftp) = step.ftp.as_ref().map(toml::Spanned::get_ref) {
            named.extend([ftp.port, ftp.source_port, ftp.data_port].into_iter().flatten());
        }
        for exchange in [&step.udp, &step.tcp].into_iter().flatten().map(toml::Spanned::get_ref) {
            named.extend([exchange.port].into_iter().chain(exchange.source_port));
        }
        if let Some(parallel) = &step.parallel {
            note_steps(parallel.get_ref(), named);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ephemeral_ports_are_masked_and_nothing_else() {
        let mask = Mask { named: BTreeSet::from([50_000]) };
        for (text, masked) in [
            ("192.168.1.100:49152 > 198.51.100.9:21", "192.168.1.100:* > 198.51.100.9:21"),
            ("198.51.100.9:20 > 192.168.1.100:50000", "198.51.100.9:20 > 192.168.1.100:50000"),
            ("PORT 192,168,1,100,192,0", "PORT 192,168,1,100,*,*"),
            ("PORT 192,168,1,100,65,43", "PORT 192,168,1,100,65,43"),
            (
                "227 Entering Passive Mode (192,168,1,100,195,80).",
                "227 Entering Passive Mode (192,168,1,100,195,80).",
            ),
            (
                "227 Entering Passive Mode (192,168,1,100,200,1).",
                "227 Entering Passive Mode (192,168,1,100,*,*).",
            ),
            ("EPRT |1|192.168.1.100|60000|", "EPRT |1|192.168.1.100|*|"),
            ("229 Entering Extended Passive Mode (|||40000|)", "229 Entering Extended Passive Mode (|||*|)"),
            (
                "150 Opening connection for readme.txt (60000 bytes).",
                "150 Opening connection for readme.txt (60000 bytes).",
            ),
            ("", ""),
        ] {
            assert_eq!(mask.text(text), masked);
        }
        assert_eq!(mask.endpoint("10.0.0.1:40000".parse().unwrap()), "10.0.0.1:*");
    }
}
