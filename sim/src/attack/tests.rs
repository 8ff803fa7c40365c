use quirknat_router::profile::builtin;

use super::*;
use crate::committed::assert_current;

fn of<'s>(suffered: &'s [Suffered], attack: &str) -> &'s Suffered {
    suffered.iter().find(|one| one.attack == attack).unwrap()
}

/// Also the claim of each profile: a router whose gateway changes shows it here.
#[test]
fn the_page_says_what_each_router_does() {
    let profiles: Vec<Profile> = builtin().iter().map(|entry| Profile::named(entry.name).unwrap()).collect();
    assert_current("docs/attacks.md", &markdown(&profiles));
}

#[test]
fn a_page_opens_the_linksys_to_the_one_who_wrote_it() {
    let suffered = suffer(&Profile::named("linksys-befsr41-1.39").unwrap());
    let slipstream = of(&suffered, "attack-slipstream");
    let [hole] = &slipstream.holes[..] else { panic!("{slipstream:?}") };
    assert_eq!(hole.target, "192.168.1.100:5900".parse().unwrap());
    assert!(hole.got_in && hole.open_for_s.abs_diff(300) <= 1, "{hole:?}");
    let low = of(&suffered, "attack-low-port");
    assert!(!low.is_open() && !low.rewritten, "{low:?}");
}

#[test]
fn a_gateway_that_takes_any_address_opens_the_neighbour() {
    let mut profile = Profile::named("linksys-befsr41-1.39").unwrap();
    profile.alg.ftp.third_party.value = quirknat_router::alg::ThirdParty::Accept;
    let suffered = suffer(&profile);
    let neighbour = of(&suffered, "attack-slipstream-neighbour");
    assert!(
        neighbour
            .holes
            .iter()
            .any(|hole| hole.target == "192.168.1.101:9100".parse().unwrap() && hole.got_in),
        "{neighbour:?}"
    );
}

#[test]
fn gateways_that_keep_to_the_rfcs_open_nothing_and_do_nothing_wrong() {
    for name in ["hardened", "rfc-4787"] {
        let suffered = suffer(&Profile::named(name).unwrap());
        assert_eq!(suffered.len(), attacks().count(), "each could be set up");
        for one in suffered {
            assert!(!one.is_open() && one.oversize == 0, "{name}: {one:?}");
        }
    }
}

#[test]
fn a_router_without_a_gateway_opens_nothing() {
    let mut profile = Profile::named("linksys-befsr41-1.39").unwrap();
    profile.alg.ftp.control_ports.value.clear();
    assert!(suffer(&profile).iter().all(|one| !one.is_open() && one.oversize == 0));
}
