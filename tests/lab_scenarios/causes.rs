//! Every cause is come to and found in the lab as well: with kernels' sockets, and with what real programs send.

use quirknat_sim::cause::Cause;
use quirknat_sim::scenario::language::BackendName;

use super::{assert_as_expected, can_lab, in_lab, scenario};

/// Scenarios of causes wait for most of their time: so many at a time.
const AT_A_TIME: usize = 8;

#[test]
fn every_cause_is_found_in_the_lab() {
    if !can_lab() {
        return;
    }
    let play = |cause: &Cause| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cause/tests");
        let text = std::fs::read_to_string(format!("{folder}/{}.toml", cause.key())).unwrap();
        let only = scenario(&text).runs_only_on().map(|(backend, _)| backend);
        if only != Some(BackendName::Sim) {
            assert_as_expected(&in_lab(&text));
        }
    };
    std::thread::scope(|threads| {
        for first in 0..AT_A_TIME {
            threads.spawn(move || Cause::ALL.iter().skip(first).step_by(AT_A_TIME).for_each(play));
        }
    });
}
