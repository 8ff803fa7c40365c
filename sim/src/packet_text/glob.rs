//! Octets against pieces with anything between them.

/// Whether `octets` are the pieces in their order with anything between them; `pieces` are what stands between stars.
pub(super) fn matches(pieces: &[Vec<u8>], octets: &[u8]) -> bool {
    let [first, rest @ ..] = pieces else { return octets.is_empty() };
    let [middle @ .., last] = rest else { return first == octets };
    let Some(octets) = octets.strip_prefix(first.as_slice()) else { return false };
    let Some(mut octets) = octets.strip_suffix(last.as_slice()) else { return false };
    for piece in middle {
        // The leftmost place leaves the most for what comes behind.
        let Some(rest) = behind(piece, octets) else { return false };
        octets = rest;
    }
    true
}

/// What comes behind the first place where `piece` stands.
fn behind<'a>(piece: &[u8], octets: &'a [u8]) -> Option<&'a [u8]> {
    if piece.is_empty() {
        return Some(octets);
    }
    let at = octets.windows(piece.len()).position(|window| window == piece)?;
    octets.get(at + piece.len()..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(pattern: &str, text: &str) -> bool {
        let pieces: Vec<_> = pattern.split('*').map(|piece| piece.as_bytes().to_vec()).collect();
        matches(&pieces, text.as_bytes())
    }

    #[test]
    fn a_star_stands_for_anything_and_for_nothing() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("*", "abc"),
            ("**", "abc"),
            ("a*c", "ac"),
            ("a*c", "abcbc"),
            ("*bc", "abcbc"),
            ("a*b*c", "a1b2c"),
            ("*ab*ab*", "abab"),
        ] {
            assert!(holds(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a", ""),
            ("a", "ab"),
            ("ab*ba", "aba"),
            ("a*c", "acb"),
            ("*ab*ab*", "abb"),
            ("a*b*c", "a1c2b"),
        ] {
            assert!(!holds(pattern, text), "{pattern} {text}");
        }
    }
}
