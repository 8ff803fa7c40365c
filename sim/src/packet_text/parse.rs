//! From a line's words to what they say.

use std::collections::BTreeMap;
use std::ops::Range;

use quirknat_router::diagnostic::did_you_mean;

use super::draft::Draft;
use super::error::{PacketTextError, Problem};
use super::icmp;
use super::key::{FLAGS, Key, LENGTH, NO_FLAGS, OPTION_KEYS, OPTION_WORDS, WORDS};
use super::line::{Body, Endpoint, Form, Line, Protocol, Value};
use super::print::DEEPEST;
use super::scan::{Token, What, tokens};
use super::value;

/// What the line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// To make a packet: whatever is needed has to be there.
    Packet,
    /// To expect one: parts can be left out, and stars stand for anything.
    Pattern,
}

pub(super) type Result<T> = std::result::Result<T, PacketTextError>;

pub(super) fn form(line: &str, mode: Mode) -> Result<Form> {
    let tokens = tokens(line, mode == Mode::Pattern)?;
    let mut parser = Parser { text: line, tokens: &tokens, at: 0, mode };
    let form = parser.form()?;
    match parser.peek() {
        Some(token) => Err(parser.unexpected(token)),
        None => Ok(form),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token<'a>],
    at: usize,
    mode: Mode,
}

impl<'a> Parser<'a> {
    fn form(&mut self) -> Result<Form> {
        const WRITE: &str = "tcp, udp, icmp, ip or hex";
        let Some((word, span)) = self.next_word("a protocol", WRITE)? else {
            return Err(self.missing("a protocol", WRITE));
        };
        if word == "hex" {
            return Ok(Form::Raw(self.hex()?));
        }
        let Some(protocol) = Protocol::ALL.into_iter().find(|protocol| protocol.name() == word) else {
            let what = "the beginning of a line (tcp, udp, icmp, ip or hex)";
            return Err(unknown_among(word, span, what.to_owned(), &Protocol::ALL.map(Protocol::name)));
        };
        Ok(Form::Packet(self.line(protocol, span, 0)?))
    }

    fn line(&mut self, protocol: Protocol, protocol_at: Range<usize>, depth: usize) -> Result<Line> {
        let line = Line {
            protocol,
            source: Endpoint::default(),
            destination: Endpoint::default(),
            values: BTreeMap::new(),
            options: Vec::new(),
            body: Body::None,
        };
        let mut draft = Draft::new(self.text, line, protocol_at);
        while let Some(Token { what: What::Word(word), span }) = self.peek() {
            if protocol != Protocol::Ip || !word.starts_with("proto=") {
                break;
            }
            self.at += 1;
            self.item(&mut draft, word, span.clone(), depth)?;
        }
        self.endpoints(&mut draft.line)?;
        while let Some(token) = self.peek() {
            match &token.what {
                What::Close if depth > 0 => break,
                What::Open | What::Close => return Err(self.unexpected(token)),
                What::Text(pieces) => {
                    self.at += 1;
                    draft.set_body(text_body(pieces), token.span.clone())?;
                }
                What::Word(word) => {
                    self.at += 1;
                    self.item(&mut draft, word, token.span.clone(), depth)?;
                }
            }
        }
        if let (Mode::Packet, Some((what, write))) = (self.mode, draft.needed()) {
            return Err(self.missing(what, write));
        }
        draft.finish(self.mode)
    }

    /// A pattern can do without both.
    fn endpoints(&mut self, line: &mut Line) -> Result<()> {
        let arrow = |token: Option<&Token<'_>>| token.is_some_and(|token| token.what == What::Word(">"));
        let here = self.peek();
        let is_endpoint = match here.map(|token| &token.what) {
            Some(What::Word(word)) => {
                word.starts_with(|first: char| first.is_ascii_digit()) && line.protocol != Protocol::Icmp
            }
            _ => false,
        };
        if self.mode == Mode::Pattern && !is_endpoint && !arrow(here) && !arrow(self.tokens.get(self.at + 1))
        {
            return Ok(());
        }
        let write = if line.protocol.has_ports() { "ADDRESS:PORT" } else { "ADDRESS" };
        line.source = self.endpoint(line.protocol, "the source", write)?;
        if !arrow(self.peek()) {
            return Err(self.missing("`>`", "SOURCE > DESTINATION"));
        }
        self.at += 1;
        line.destination = self.endpoint(line.protocol, "the destination", write)?;
        Ok(())
    }

    fn endpoint(&mut self, protocol: Protocol, what: &'static str, write: &'static str) -> Result<Endpoint> {
        match self.next_word(what, write)? {
            Some((">", _)) => {
                self.at -= 1;
                Err(self.missing(what, write))
            }
            Some((word, span)) => value::endpoint(word, &span, protocol, self.mode),
            None => Err(self.missing(what, write)),
        }
    }

    fn item(&mut self, draft: &mut Draft<'a>, word: &'a str, span: Range<usize>, depth: usize) -> Result<()> {
        let tcp = draft.line.protocol == Protocol::Tcp;
        match word {
            "hex" => {
                let bytes = self.hex()?;
                let span = span.start..self.end_of_last();
                return draft.set_body(Body::Bytes(bytes), span);
            }
            "quoting" => return self.quoting(draft, span, depth),
            "df" | "no-df" => return draft.set(Key::DontFragment, Value::Set(word == "df"), span),
            _ if tcp && OPTION_WORDS.contains(&word) => {
                draft.line.options.push(value::option_word(word));
                draft.option = Some(span);
                return Ok(());
            }
            _ => {}
        }
        if let Some((key, value)) = word.split_once('=') {
            return self.assignment(draft, key, value, span);
        }
        let protocol = draft.line.protocol;
        let parsed = match protocol {
            Protocol::Tcp if value::looks_like_flags(word) => {
                Some((Key::Flags, value::flags(word, &span, self.mode)?))
            }
            Protocol::Icmp => value::kind(word, &span, self.mode)?.map(|kind| (Key::Kind, kind)),
            _ => None,
        };
        let Some((key, value)) = parsed else {
            if words_with_values(protocol).any(|name| name == word) {
                return Err(self.missing("a value", "KEY=VALUE"));
            }
            let what = format!("a word of {} line", with_article(protocol));
            return Err(unknown_among(word, span, what, &words_of(protocol)));
        };
        draft.set(key, value, span)
    }

    fn assignment(
        &mut self,
        draft: &mut Draft<'a>,
        name: &str,
        value: &str,
        span: Range<usize>,
    ) -> Result<()> {
        let protocol = draft.line.protocol;
        let value_at = span.start + name.len() + 1..span.end;
        if value.is_empty() && words_with_values(protocol).any(|known| known == name) {
            return Err(self.missing("a value", "KEY=VALUE"));
        }
        if words_of(protocol).contains(&name) && !words_with_values(protocol).any(|known| known == name) {
            return Err(PacketTextError::new(span, Problem::Alone { word: name.to_owned() }));
        }
        if name == LENGTH {
            let length = value::payload_length(value, value_at, self.mode)?;
            return match length {
                Some(length) => draft.set_body(Body::Length(length), span),
                None => Ok(()),
            };
        }
        if OPTION_KEYS.contains(&name) {
            if protocol != Protocol::Tcp {
                let of = "tcp lines".to_owned();
                return Err(PacketTextError::new(span, Problem::Misplaced { key: name.to_owned(), of }));
            }
            draft.line.options.push(value::option(name, value, value_at, self.mode)?);
            draft.option = Some(span);
            return Ok(());
        }
        let Some(key) = Key::named(name) else {
            let key_at = span.start..span.start + name.len();
            let what = format!("a key of {} line", with_article(protocol));
            return Err(unknown_among(name, key_at, what, &words_of(protocol)));
        };
        if !key.belongs_to(protocol) {
            let names: Vec<_> = key.protocols().iter().map(|protocol| protocol.name()).collect();
            let of = format!("{} lines", names.join(", "));
            return Err(PacketTextError::new(span, Problem::Misplaced { key: name.to_owned(), of }));
        }
        let value = value::of_key(key, value, value_at, protocol, self.mode)?;
        draft.set(key, value, span)
    }

    fn quoting(&mut self, draft: &mut Draft<'a>, span: Range<usize>, depth: usize) -> Result<()> {
        const WRITE: &str = "quoting (LINE)";
        if draft.line.protocol != Protocol::Icmp {
            let problem = Problem::Misplaced { key: "quoting".to_owned(), of: "icmp lines".to_owned() };
            return Err(PacketTextError::new(span, problem));
        }
        if depth >= DEEPEST {
            return Err(PacketTextError::new(span, Problem::TooDeep { most: DEEPEST }));
        }
        if self.peek().is_none_or(|token| token.what != What::Open) {
            return Err(self.missing("`(`", WRITE));
        }
        self.at += 1;
        let Some((word, word_at)) = self.next_word("the quoted packet", WRITE)? else {
            return Err(self.missing("the quoted packet", WRITE));
        };
        let Some(protocol) = Protocol::ALL.into_iter().find(|protocol| protocol.name() == word) else {
            let what =
                "the beginning of a quoted packet (tcp, udp, icmp or ip; octets stand behind hex alone)";
            return Err(unknown_among(word, word_at, what.to_owned(), &Protocol::ALL.map(Protocol::name)));
        };
        let quoted = self.line(protocol, word_at, depth + 1)?;
        if self.peek().is_none_or(|token| token.what != What::Close) {
            return Err(self.missing("`)`", WRITE));
        }
        self.at += 1;
        let span = span.start..self.end_of_last();
        draft.set_body(Body::Quote(Box::new(quoted)), span)
    }

    /// What stands behind `hex`.
    fn hex(&mut self) -> Result<Vec<u8>> {
        match self.peek() {
            Some(Token { what: What::Text(pieces), span }) => {
                self.at += 1;
                let bytes = value::hex_text(pieces);
                bytes.ok_or_else(|| PacketTextError::new(span.clone(), Problem::Hex))
            }
            _ => Err(self.missing("a text", "hex \"45000014\"")),
        }
    }

    fn peek(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.at)
    }

    fn next_word(
        &mut self,
        what: &'static str,
        write: &'static str,
    ) -> Result<Option<(&'a str, Range<usize>)>> {
        match self.peek() {
            None => Ok(None),
            Some(Token { what: What::Word(word), span }) => {
                self.at += 1;
                Ok(Some((word, span.clone())))
            }
            Some(Token { what: What::Close, .. }) => Err(self.missing(what, write)),
            Some(token) => Err(self.unexpected(token)),
        }
    }

    /// Where the last word that was read ends.
    fn end_of_last(&self) -> usize {
        self.last().map_or(0, |token| token.span.end)
    }

    fn last(&self) -> Option<&Token<'a>> {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at))
    }

    fn written(&self, span: &Range<usize>) -> String {
        self.text.get(span.clone()).unwrap_or_default().to_owned()
    }

    fn missing(&self, what: &'static str, write: &'static str) -> PacketTextError {
        let end = self.end_of_last();
        let after = self.last().map(|token| self.written(&token.span)).unwrap_or_default();
        PacketTextError::new(end..end, Problem::Missing { what, after, write: write.to_owned() })
    }

    fn unexpected(&self, token: &Token<'_>) -> PacketTextError {
        let text = self.written(&token.span);
        PacketTextError::new(token.span.clone(), Problem::Unexpected { text })
    }
}

fn text_body(pieces: &[Vec<u8>]) -> Body {
    match pieces {
        [piece] => Body::Bytes(piece.clone()),
        _ => Body::Glob(pieces.to_vec()),
    }
}

fn with_article(protocol: Protocol) -> String {
    let article = if matches!(protocol, Protocol::Icmp | Protocol::Ip) { "an" } else { "a" };
    format!("{article} {}", protocol.name())
}

/// What stands before a `=` in a line of `protocol`.
fn words_with_values(protocol: Protocol) -> impl Iterator<Item = &'static str> {
    let options = OPTION_KEYS.into_iter().filter(move |_| protocol == Protocol::Tcp);
    Key::names_for(protocol).chain([LENGTH]).chain(options)
}

/// All that can stand in a line of `protocol`.
fn words_of(protocol: Protocol) -> Vec<&'static str> {
    let mut words: Vec<_> = words_with_values(protocol).chain(WORDS).collect();
    match protocol {
        Protocol::Tcp => {
            words.extend(FLAGS.iter().map(|(_, name)| *name).chain(OPTION_WORDS));
            words.push(NO_FLAGS);
        }
        Protocol::Icmp => words.extend(icmp::kind_names()),
        _ => {}
    }
    words
}

pub(super) fn unknown_among(
    word: &str,
    span: Range<usize>,
    what: String,
    choices: &[&str],
) -> PacketTextError {
    let meant = did_you_mean(word, choices.iter().copied()).map(ToOwned::to_owned);
    PacketTextError::new(span, Problem::Unknown { word: word.to_owned(), what, meant })
}
