//! Text from files, made fit to be shown. A title may hold any character that TOML can spell, also those that steer a
//! terminal, or that XML 1.0 cannot hold in any spelling.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` on one line: each control character as `\u{…}`, and each that turns the direction of what follows, so that
/// a line reads as something it is not (UAX #9: LRE to RLO, LRI to PDI).
pub(crate) fn for_line(text: &str) -> Cow<'_, str> {
    replace(text, |character| {
        character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

/// `text` of the characters that XML 1.0 allows (section 2.2); others as `\u{…}`. Escaping of `<` and the like is the
/// writer's. The controls U+007F to U+009F are allowed, but discouraged: a browser may take them for steering.
pub(crate) fn for_xml(text: &str) -> Cow<'_, str> {
    replace(text, |character| match character {
        '\t' | '\n' => false,
        '\u{fffe}' | '\u{ffff}' => true,
        _ => character.is_control(),
    })
}

fn replace(text: &str, is_unfit: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_unfit) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_unfit(character) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "{}", character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}
