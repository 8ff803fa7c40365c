//! Causes that only real programs come to: what the built-in client never sends.

use super::{assert_as_expected, can_lab, in_lab};

#[test]
fn what_real_programs_send_ends_in_its_cause() {
    if !can_lab() {
        return;
    }
    for text in [
        include_str!("../../sim/src/cause/tests/announcement-malformed.toml"),
        include_str!("../../sim/src/cause/tests/command-split.toml"),
        include_str!("../../sim/src/cause/tests/keyword-in-other-letters.toml"),
        include_str!("../../sim/src/cause/tests/keyword-out-of-place.toml"),
        include_str!("../../sim/src/cause/tests/login-refused.toml"),
    ] {
        assert_as_expected(&in_lab(text));
    }
}
