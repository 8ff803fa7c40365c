//! What a router rewrote: where a packet on one wire differs from the same packet on another.

use std::ops::Range;

use super::fields;
use super::sight::see;
use crate::explain::story::Leg;

/// The octets of `packet` that are not those of `other`: whole header fields, and of a control connection's text whole
/// numbers.
pub(super) fn octets(packet: &Leg, other: &Leg) -> Vec<Range<usize>> {
    let header = packet.fields.iter().filter_map(|field| {
        let twin = other.fields.iter().find(|twin| (twin.of, twin.name) == (field.of, field.name))?;
        (twin.value != field.value && fields::is_compared(field)).then(|| field.octets.clone())
    });
    let mut found: Vec<Range<usize>> = header.collect();
    if let (Some(own), Some(others)) = (payload(&packet.bytes), payload(&other.bytes))
        && let Some(range) = between(&packet.bytes[own.clone()], &other.bytes[others])
    {
        found.push(own.start + range.start..own.start + range.end);
    }
    found
}

fn payload(packet: &[u8]) -> Option<Range<usize>> {
    see(packet)?
        .segment()
        .map(|segment| segment.payload.clone())
        .filter(|range| packet.get(range.clone()).is_some())
}

/// Ranges in order, those that overlap or touch made one, without empty ones.
pub(super) fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// The characters of `text` that are not those of `other`, as a range of characters.
pub(super) fn characters(text: &str, other: &str) -> Option<Range<usize>> {
    if text.is_ascii() && other.is_ascii() {
        return between(text.as_bytes(), other.as_bytes());
    }
    let (text, other): (Vec<char>, Vec<char>) = (text.chars().collect(), other.chars().collect());
    differing(&text, &other, char::is_ascii_digit)
}

/// The part of `own` that is not in `other`, in whole numbers.
fn between(own: &[u8], other: &[u8]) -> Option<Range<usize>> {
    differing(own, other, u8::is_ascii_digit)
}

fn differing<T: PartialEq>(own: &[T], other: &[T], is_digit: fn(&T) -> bool) -> Option<Range<usize>> {
    if own == other {
        return None;
    }
    let same = |(left, right): &(&T, &T)| left == right;
    let shorter = own.len().min(other.len());
    let mut start = own.iter().zip(other).take_while(same).count();
    let tail = own.iter().rev().zip(other.iter().rev()).take_while(same).count().min(shorter - start);
    let mut end = own.len() - tail;
    let digit_at = |at: usize| own.get(at).is_some_and(is_digit);
    while start > 0 && digit_at(start - 1) && (digit_at(start) || start == end) {
        start -= 1;
    }
    while end > start && digit_at(end) && digit_at(end - 1) {
        end += 1;
    }
    Some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_touch_are_one() {
        assert_eq!(merged(vec![5..7, 0..2, 2..3, 9..9, 6..8]), [0..3, 5..8]);
    }

    #[test]
    fn what_differs_is_found_in_whole_numbers() {
        for (own, other, found) in [
            ("PORT 192,168,1,100,65,43", "PORT 203,0,113,7,65,43", Some("192,168,1,100")),
            ("PORT 203,0,113,7,65,43", "PORT 192,168,1,100,65,43", Some("203,0,113,7")),
            ("PORT 192,168,1,100,65,43", "PORT 192,168,1,107,65,43", Some("100")),
            ("SYN 10.0.0.1:5 → 10.0.0.2:21", "SYN 203.0.113.1:5 → 10.0.0.2:21", Some("10.0.0")),
            ("same", "same", None),
            ("", "x", Some("")),
            ("aaa", "aa", Some("a")),
        ] {
            let range = characters(own, other);
            let text = range.map(|range| own.chars().skip(range.start).take(range.len()).collect::<String>());
            assert_eq!(text.as_deref(), found, "{own} beside {other}");
        }
    }
}
