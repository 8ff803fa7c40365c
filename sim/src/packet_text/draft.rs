//! A line that is being read: what it says so far, where, and whether it goes together.

use std::collections::BTreeMap;
use std::ops::Range;

use super::build::{About, IP_HEADER, Unbuildable, build};
use super::error::{PacketTextError, Problem};
use super::icmp;
use super::key::Key;
use super::line::{Body, Line, Protocol, Value};
use super::parse::{Mode, Result};

/// A line, and where its parts stand in the text.
pub(super) struct Draft<'a> {
    pub(super) line: Line,
    /// TCP's last option.
    pub(super) option: Option<Range<usize>>,
    text: &'a str,
    protocol_at: Range<usize>,
    keys: BTreeMap<Key, Range<usize>>,
    body: Option<Range<usize>>,
}

/// The keys of an ICMP header's second word.
const SECOND_WORD: [Key; 5] = [Key::Id, Key::Seq, Key::Mtu, Key::Gateway, Key::Pointer];

impl<'a> Draft<'a> {
    /// `protocol_at`: where in `text` the line begins.
    pub(super) fn new(text: &'a str, line: Line, protocol_at: Range<usize>) -> Self {
        Self { line, option: None, text, protocol_at, keys: BTreeMap::new(), body: None }
    }

    pub(super) fn set(&mut self, key: Key, value: Value, span: Range<usize>) -> Result<()> {
        if let Some(first) = self.keys.get(&key) {
            return Err(self.twice(&span, first));
        }
        self.keys.insert(key, span);
        self.line.values.insert(key, value);
        Ok(())
    }

    pub(super) fn set_body(&mut self, body: Body, span: Range<usize>) -> Result<()> {
        if let Some(first) = &self.body {
            return Err(self.twice(&span, first));
        }
        self.body = Some(span);
        self.line.body = body;
        Ok(())
    }

    /// What a packet cannot do without and the line does not have, and what to write.
    pub(super) fn needed(&self) -> Option<(&'static str, &'static str)> {
        /// TCP's flags are in its header's fourteenth octet.
        const FLAGS_END: usize = 14;
        let line = &self.line;
        let flags_end = IP_HEADER + line.hex(Key::IpOptions).len() + FLAGS_END;
        let has_flags = line.short(Key::Cut).is_none_or(|cut| usize::from(cut) >= flags_end);
        let (key, what, write) = match line.protocol {
            Protocol::Tcp if has_flags => (Key::Flags, "a flag", "SYN or PSH,ACK or another, or none"),
            Protocol::Icmp => (Key::Kind, "the type", "echo-request, time-exceeded or another"),
            Protocol::Ip => (Key::Proto, "the protocol's number", "ip proto=47 ADDRESS > ADDRESS"),
            _ => return None,
        };
        (!line.values.contains_key(&key)).then_some((what, write))
    }

    /// The line, if its parts go together and, where it is to make a packet, make one.
    pub(super) fn finish(self, mode: Mode) -> Result<Line> {
        self.check_exclusions()?;
        self.check_fragment()?;
        if mode == Mode::Packet {
            self.check_second_word()?;
            build(&self.line).map_err(|error| self.unbuildable(error))?;
        }
        Ok(self.line)
    }

    fn unbuildable(&self, error: Unbuildable) -> PacketTextError {
        let span = match error.about {
            About::Body => self.body.clone().unwrap_or_else(|| self.protocol_at.clone()),
            About::TcpOptions => self.option.clone().unwrap_or_else(|| self.at_key(Key::TcpOptions)),
            About::Key(key) => self.at_key(key),
        };
        PacketTextError::new(span, error.problem)
    }

    fn check_fragment(&self) -> Result<()> {
        let fragment = self.line.values.get(&Key::Fragment);
        match (fragment, self.line.protocol.number()) {
            (Some(Value::Fragment { offset: 1.., .. }), Some(number)) => {
                let problem = Problem::LaterFragment { protocol: self.line.protocol.name(), number };
                Err(PacketTextError::new(self.at_key(Key::Fragment), problem))
            }
            _ => Ok(()),
        }
    }

    /// What is there whole cannot be there in parts too.
    fn check_exclusions(&self) -> Result<()> {
        if let (Some(raw), Some(option)) = (self.keys.get(&Key::TcpOptions), &self.option) {
            return Err(self.twice(option, raw));
        }
        let part = SECOND_WORD.iter().find_map(|key| self.keys.get(key));
        match (self.keys.get(&Key::Rest), part) {
            (Some(rest), Some(part)) => Err(self.twice(part, rest)),
            _ => Ok(()),
        }
    }

    /// A message has the fields of its type and no others.
    fn check_second_word(&self) -> Result<()> {
        let Some((kind, code)) = self.line.kind() else { return Ok(()) };
        let known = icmp::keys(kind, code);
        for key in SECOND_WORD.into_iter().filter(|key| !known.contains(key)) {
            if let Some(span) = self.keys.get(&key) {
                let of = icmp::messages_with(key).to_owned();
                let problem = Problem::Misplaced { key: key.name().to_owned(), of };
                return Err(PacketTextError::new(span.clone(), problem));
            }
        }
        Ok(())
    }

    fn at_key(&self, key: Key) -> Range<usize> {
        self.keys.get(&key).unwrap_or(&self.protocol_at).clone()
    }

    fn twice(&self, second: &Range<usize>, first: &Range<usize>) -> PacketTextError {
        let written = |span: &Range<usize>| self.text.get(span.clone()).unwrap_or_default().to_owned();
        let problem = Problem::Twice { word: written(second), first: written(first) };
        PacketTextError::new(second.clone(), problem)
    }
}
