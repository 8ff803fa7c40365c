//! Every cause is come to and found in the lab as well: with kernels' sockets, and with what real programs send.

use quirknat_sim::cause::Cause;
use quirknat_sim::scenario::language::BackendName;

use super::{assert_as_expected, can_lab, in_lab, scenario};

#[test]
fn every_cause_is_found_in_the_lab() {
    if !can_lab() {
        return;
    }
    for cause in Cause::ALL {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cause/tests");
        let text = std::fs::read_to_string(format!("{folder}/{}.toml", cause.key())).unwrap();
        let only = scenario(&text).runs_only_on().map(|(backend, _)| backend);
        if only != Some(BackendName::Sim) {
            assert_as_expected(&in_lab(&text));
        }
    }
}
