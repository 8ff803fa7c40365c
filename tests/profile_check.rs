//! `quirknat profile check` over its command line: what each built-in profile holds of the RFCs' requirements, and that the
//! kernel, measured from outside by the same command, is what its profile says.

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

use std::collections::BTreeMap;
use std::fs;

use support::deadline::Deadline;
use support::home::program;
use support::namespace::Namespace;
use support::process::{Finished, Process, command};
use support::requirement::{LAB, Requirement, met};

fn check(arguments: &[&str]) -> (Option<i32>, String) {
    let mut check = command("env");
    check.arg(program()).args(["profile", "check"]).args(arguments);
    let finished = support::process::run("quirknat profile check", check, 120);
    assert!(finished.stderr.is_empty(), "{}", finished.story());
    (finished.code(), finished.text())
}

fn built_in() -> Vec<String> {
    let mut list = command("env");
    list.arg(program()).args(["profile", "list", "--json"]);
    let listed: serde_json::Value =
        serde_json::from_str(&support::process::run("quirknat profile list", list, 20).text()).unwrap();
    let profiles = listed["profiles"].as_array().unwrap();
    profiles.iter().map(|profile| profile["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_built_in_profile_holds_what_its_golden_file_says() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("profile_check");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for name in built_in() {
            // A table larger than that is filled by `rfc-4787`'s own test alone.
            let (status, report) = check(&[&name, "--flows", "3000"]);
            assert_eq!(status, Some(0), "{name}: {report}");
            insta::assert_snapshot!(name, report);
        }
    });
}

#[test]
fn rfc_4787_holds_all_that_is_required() {
    let (status, report) = check(&["rfc-4787", "--require", "all"]);
    assert_eq!(status, Some(0), "{report}");
    let (status, report) = check(&["symmetric", "--require", "4787-1", "--filter", "4787-1"]);
    assert_eq!(status, Some(1), "{report}");
}

#[test]
fn names_that_are_none_are_told_with_the_nearest() {
    for option in ["--require", "--filter"] {
        let mut wrong = command("env");
        wrong.arg(program()).args(["profile", "check", "rfc-4787", option, "4787-99"]);
        let finished = support::process::run("quirknat profile check", wrong, 20);
        assert_eq!(finished.code(), Some(2), "{}", finished.story());
        assert!(finished.stderr.contains("4787-9"), "{}", finished.story());
    }
}

/// A namespace whose kernel is a home router: masquerading, the FTP helper, port 21 led to a server behind.
struct KernelRouter {
    place: Namespace,
}

impl KernelRouter {
    fn new() -> Self {
        let place = Namespace::new("kernel");
        place.enter(|| fs::write("/proc/sys/net/ipv4/ip_forward", "1")).expect("the namespace's own setting");
        let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/profile_check/kernel.nft");
        let mut nft = command("nft");
        nft.args(["-f", rules]);
        let loaded = place.run("nft", nft, 10);
        assert_eq!(loaded.code(), Some(0), "{}", loaded.story());
        Self { place }
    }

    /// Gives the router its ends of the wires, which are there.
    fn connect(&self) {
        for (device, address) in [("lan0", "10.0.0.1/24"), ("wan0", "203.0.113.7/24")] {
            self.place.ip(&format!("addr add {address} dev {device}"));
            self.place.ip(&format!("link set {device} txqueuelen 5000 up"));
        }
    }

    /// Measures it through TUN devices.
    fn measured(&self, limits: &[&str]) -> Finished {
        let mut check = start(&self.place, ["lan0", "wan0"], limits);
        check.wait_stderr("line \"ready\"", Deadline::seconds(10), |said| said.starts_with(b"ready"));
        self.connect();
        self.place.ip("route add default dev wan0");
        check.finish(Deadline::seconds(90))
    }

    /// Measures it through Ethernet, from a namespace at the other ends of its cables.
    fn measured_over_ethernet(&self, limits: &[&str]) -> Finished {
        let neighbour = Namespace::new("neighbour");
        for (device, other) in [("lan0", "eth0"), ("wan0", "eth1")] {
            let name = neighbour.name();
            self.place.ip(&format!("link add {device} type veth peer name {other} netns {name}"));
            neighbour.ip(&format!("link set {other} up"));
        }
        self.connect();
        self.place.ip("route add default via 203.0.113.1");
        start(&neighbour, ["eth0", "eth1"], limits).finish(Deadline::seconds(60))
    }
}

fn start(place: &Namespace, [lan, wan]: [&str; 2], limits: &[&str]) -> Process {
    let mut check = command("env");
    check.arg(program()).args(["profile", "check", "--lan", &format!("{lan}=10.0.0.1/24")]);
    check.args(["--wan", &format!("{wan}=203.0.113.7/24"), "--server", "10.0.0.250"]).args(limits);
    place.start("quirknat profile check", check)
}

/// Each requirement of a report, with all that is said of it.
fn rows(report: &str) -> BTreeMap<String, serde_json::Value> {
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    let rows = report["requirements"].as_array().unwrap();
    rows.iter().map(|row| (row["id"].as_str().unwrap().to_owned(), row.clone())).collect()
}

#[test]
fn the_kernel_is_what_its_profile_says() {
    if !met(&LAB) || !met(&[Requirement::Program("nft")]) {
        return;
    }
    // As long as the answer to a SYN may take.
    let limits = ["--longest", "8", "--json"];
    let kernel = KernelRouter::new().measured(&limits);
    assert_eq!(kernel.code(), Some(0), "{}", kernel.story());
    let (_, profile) = check(&[&["linux-netfilter", "--flows", "2000"], &limits[..]].concat());
    let (kernel, profile) = (rows(&kernel.text()), rows(&profile));
    assert_eq!(kernel.len(), profile.len());
    let differ = |id: &&String| kernel.get(*id) != profile.get(*id);
    let different: Vec<&String> = kernel.keys().filter(differ).collect();
    let told = different.iter().map(|id| format!("kernel: {:#}\nprofile: {:#}\n", kernel[*id], profile[*id]));
    assert!(different.is_empty(), "{different:?}\n{}", told.collect::<String>());
}

/// The FTP helper's packets leave with checksums that the kernel leaves to hardware.
#[test]
fn a_router_is_measured_over_ethernet_as_well() {
    if !met(&LAB) || !met(&[Requirement::Program("nft")]) {
        return;
    }
    let limits = ["--longest", "0", "--filter", "6384-7"];
    let kernel = KernelRouter::new().measured_over_ethernet(&limits);
    let (_, profile) = check(&[&["linux-netfilter"], &limits[..]].concat());
    assert_eq!(kernel.text(), profile, "{}", kernel.story());
}

/// A profile's value at `key`, as `timeouts.udp`.
fn stated<'a>(profile: &'a serde_json::Value, key: &str) -> &'a serde_json::Value {
    let table = key.split('.').fold(profile, |table, part| &table[part]);
    &table["value"]
}

/// Whether a measured value is what a profile states.
fn agrees(profile: &serde_json::Value, key: &str, measured: &str) -> bool {
    let value = stated(profile, key);
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if let Some(least) = measured.strip_suffix(" or more") {
        return value.as_u64() >= Some(least.parse().unwrap());
    }
    match key {
        // A query's other end has no port.
        "nat.icmp.mapping" => measured == text.replace("address-and-port", "address"),
        // Where neither a mapping nor a filter can be prepared for it, nothing that is hairpinned gets in.
        "nat.udp.hairpinning" | "nat.tcp.hairpinning" if measured == "off" => {
            let of = |what| stated(profile, &key.replace("hairpinning", what)).as_str();
            let is_shut = of("mapping") != Some("endpoint-independent")
                && of("filtering") == Some("address-and-port-dependent");
            text == measured || is_shut
        }
        // Where a mapping has no port that it would rather have, two share one only when the range is nearly used up.
        "ports.overloading" if measured == "false" => {
            text == measured || stated(profile, "ports.allocation").as_str() != Some("preserving")
        }
        // A translation that a RST ends at once has no timeout after it.
        "timeouts.tcp-reset" if measured == "0" => stated(profile, "tcp.on-rst").as_str() == Some("remove"),
        // As long as its control connection lasts: longer than is waited for.
        "alg.ftp.forward-lifetime" if text == "0" => measured == "86400",
        _ => measured == text,
    }
}

#[test]
fn what_is_measured_is_what_the_profile_says() {
    let mut differ = Vec::new();
    for name in built_in() {
        let (_, report) = check(&[&name, "--json", "--flows", "10"]);
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let mut show = command("env");
        show.arg(program()).args(["profile", "show", &name, "--json"]);
        let profile = support::process::run("quirknat profile show", show, 20);
        let profile: serde_json::Value = serde_json::from_str(&profile.text()).unwrap();
        let behaviour = report["behaviour"].as_object().unwrap();
        assert!(behaviour.len() >= 15, "{name}: {behaviour:?}");
        for (key, measured) in behaviour {
            let measured = measured.as_str().unwrap();
            if !agrees(&profile, key, measured) {
                differ.push(format!("{name}: {key} is {measured}, and not {}", stated(&profile, key)));
            }
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn the_page_shows_what_the_program_prints() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/profile-check.md")).unwrap();
    let (_, report) = check(&["linksys-befsr41-1.39", "--filter", "4787"]);
    for line in report.lines() {
        assert!(page.contains(format!("    {line}").trim_end()), "docs/profile-check.md lacks:\n{line}");
    }
}
