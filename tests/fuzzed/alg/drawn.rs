//! Values drawn from octets.

use quirknat_alg::{Command, Dialect, ForeignLines, Mask, Range, RepliesRead, Strictness, Terms, WrongRole};
use serde::de::value::Error;
use serde::de::{Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

/// What is left of the octets.
pub(super) struct Source<'a>(pub(super) &'a [u8]);

impl<'a> Source<'a> {
    pub(super) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// As many octets as the next one says, or as there are.
    pub(super) fn piece(&mut self) -> &'a [u8] {
        let (piece, rest) = self.0.split_at(usize::from(self.octet()).min(self.0.len()));
        self.0 = rest;
        piece
    }

    /// Zero where there are no more.
    pub(super) fn octet(&mut self) -> u8 {
        self.next().unwrap_or_default()
    }

    pub(super) fn number(&mut self) -> u16 {
        u16::from_be_bytes([self.octet(), self.octet()])
    }

    fn bit(&mut self) -> bool {
        self.octet() & 1 != 0
    }

    /// Any variant of an enum, also of one that is added later.
    fn any<T: Deserialize<'static>>(&mut self) -> T {
        T::deserialize(Variant(self.octet())).expect("an enum without fields")
    }

    /// Those of `all` whose bit is set.
    fn some<T: Copy>(&mut self, all: &[T]) -> Vec<T> {
        let bits = self.octet();
        all.iter().enumerate().filter(|(index, _)| bits >> index & 1 != 0).map(|(_, one)| *one).collect()
    }

    /// `usual` three times in four, so that something is read at all.
    fn mostly<T>(&mut self, usual: T, else_drawn: impl FnOnce(&mut Self) -> T) -> T {
        if self.octet().is_multiple_of(4) { else_drawn(self) } else { usual }
    }

    fn range(&mut self) -> Range {
        let (one, other) = (self.number(), self.number());
        Range { first: one.min(other), last: one.max(other) }
    }
}

/// A dialect, every value of which is drawn.
pub(super) fn dialect(source: &mut Source<'_>) -> Dialect {
    Dialect {
        control_ports: source.mostly(vec![21], |source| source.some(&[21, 2121, 1024])),
        control_port_end: source.any(),
        commands: source.mostly(Command::ALL.to_vec(), |source| source.some(&Command::ALL)),
        announcements_from: source.any(),
        replies_read: source.mostly(RepliesRead::Any, Source::any),
        wrong_role: source.mostly(WrongRole::Ignore, Source::any),
        pipelining: source.mostly(Strictness::Ignore, Source::any),
        keyword_position: source.any(),
        cut_keyword: source.any(),
        payload_lengths: source.mostly(Range::ALL, |source| Range {
            first: u16::from(source.octet() / 8),
            last: u16::from(source.octet()) + 32,
        }),
        octets_read: source.mostly(0, |source| u16::from(source.octet())),
        after_login: source.mostly(false, Source::bit),
        letter_case: source.any(),
        argument: source.any(),
        reaches: source.any(),
        octets: source.any(),
        leading_zeros: source.any(),
        empty_numbers: source.any(),
        line_end: source.any(),
        trailing_octets: source.mostly(u16::MAX, |source| u16::from(source.octet())),
        reply_scan: source.any(),
        reply_end: source.any(),
        malformed: source.any(),
        third_party: source.any(),
        refused_ports: source
            .mostly(vec![Range { first: 1, last: 1023 }], |source| vec![source.range(), source.range()]),
        refused_port: source.any(),
        port_zero: source.any(),
        announced_address: source.any(),
        rest_of_segment: source.any(),
        extended_delimiter: source.any(),
        extended_address: source.any(),
        mask_commands: source.some(&Mask::ALL),
        mask_commands_from: source.any(),
        after_auth_tls: source.any(),
        foreign_lines: source.mostly(ForeignLines::Ignore, Source::any),
        data_port: source.any(),
        data_port_taken: source.any(),
        data_port_conflict: source.any(),
        data_port_tries: source.number(),
        no_data_port: source.any(),
        repeated: source.any(),
        terms: Terms {
            allowed_peer: source.any(),
            lifetime: u32::from(source.number()),
            connections: source.number(),
            outstanding: source.number(),
            ends_with_control: source.bit(),
        },
        control_outlives: source.any(),
        sequence_numbers: source.any(),
        rewrites_remembered: usize::from(source.octet()),
        adjust_sack: source.bit(),
        reassembly: source.any(),
        line_limit: source.number(),
        gaps: source.any(),
        oversize: source.any(),
        // Drawn last, so that inputs that are kept mean what they did.
        extended_line_end: source.any(),
        extended_reply_end: source.any(),
        extended_port_zero: source.any(),
        before_answer: source.any(),
        begins_anew: source.any(),
        adjust_icmp_errors: source.bit(),
        long_line: source.any(),
    }
}

/// Reads as the variant of this number, whatever the enum.
struct Variant(u8);

impl<'de> Deserializer<'de> for Variant {
    type Error = Error;

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let chosen = variants[usize::from(self.0) % variants.len()];
        visitor.visit_enum(chosen.into_deserializer())
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom("only enums are drawn"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
