//! The command line as its user meets it: what is printed where, and with which status it ends.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn quirknat(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quirknat")).args(arguments).env_remove("RUST_LOG").output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// A folder of this test's own, empty at first and gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("quirknat-cli-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const BUILT_IN: &str = include_str!("../scenarios/port-21-rewritten.toml");

/// One line on stderr, and nothing on stdout.
fn assert_one_line(output: &Output, status: i32, words: &[&str]) {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(status), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert_eq!(stdout(output), "", "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in {text:?}");
    }
}

mod run {
    use super::*;

    #[test]
    fn the_built_in_scenarios_are_as_expected_a_line_each() {
        let output = quirknat(&["run"]);
        let text = stdout(&output);
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines
                .contains(&"ok   pasv-21                           PASV on the standard control port: works"),
            "{text}"
        );
        let (last, each) = lines.split_last().unwrap();
        assert!(each.iter().all(|line| line.starts_with("ok   ")), "{text}");
        assert_eq!(*last, format!("{} as expected, 0 not", each.len()));
        assert_eq!(stderr(&output), "");
        assert_eq!(output.status.code(), Some(0));
        let readme = include_str!("../README.md").lines().filter_map(|line| line.strip_prefix("    ok   "));
        let shown: Vec<String> = readme.map(|line| format!("ok   {line}")).collect();
        assert!(shown.len() > 3 && shown.iter().all(|line| each.contains(&line.as_str())), "{shown:?}");
    }

    #[test]
    fn what_is_not_as_expected_is_told_with_what_was_seen() {
        let folder = Folder::new("unexpected");
        let text = BUILT_IN
            .replace("server-saw = \"PORT 203,0,113,7,65,43\"", "server-saw = \"PORT 192,168,1,100,65,43\"")
            .replace("gateway = \"rewritten\"\n", "gateway = \"silent\"\n")
            .replacen("data = \"ok\"", "data = \"failed\"", 1)
            .replacen("203.0.113.7:16683\"", "203.0.113.7:16684\"", 1);
        let output = quirknat(&["run", &folder.write("mine.toml", &text)]);
        assert_eq!(
            stdout(&output),
            "FAIL mine  PORT on the standard control port: translated, and the data port forwarded\n     \
             step 1: ftp pc to server, PORT, list\n       \
             data: expected failed\n             \
             saw      ok\n       \
             server-saw: expected PORT 192,168,1,100,65,43\n                   \
             saw      PORT 203,0,113,7,65,43\n       \
             data-syn-at-server: expected 198.51.100.9:20 > 203.0.113.7:16684\n                           \
             saw      198.51.100.9:20 > 203.0.113.7:16683\n       \
             gateway: expected silent\n                \
             saw      rewritten\n\
             0 as expected, 1 not\n"
        );
        assert_eq!(output.status.code(), Some(1));
    }

    #[test]
    fn another_profile_gives_another_outcome() {
        let folder = Folder::new("profile");
        let profile = stdout(&quirknat(&["profile", "show", "linksys-befsr41-1.39"])).to_owned();
        folder.write("both-ports.toml", &profile.replace("value = [21]", "value = [21, 2121]"));
        let text = include_str!("../scenarios/port-other-untouched.toml")
            .replace("profile = \"linksys-befsr41-1.39\"", "profile = \"both-ports.toml\"");
        let output = quirknat(&["run", &folder.write("mine.toml", &text)]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stdout(&output).contains("saw      PORT 203,0,113,7,65,43"), "{}", stdout(&output));
        assert!(stdout(&output).contains("saw      rewritten"), "{}", stdout(&output));
    }

    #[test]
    fn the_artifacts_are_the_same_to_the_byte_whatever_the_number_of_jobs() {
        let folder = Folder::new("artifacts");
        let (one, many) = (folder.path("one"), folder.path("many"));
        for (out, jobs) in [(&one, "1"), (&many, "4")] {
            assert!(quirknat(&["run", "--seed", "7", "--jobs", jobs, "--out", out]).status.success());
        }
        let mut compared = 0;
        for scenario in std::fs::read_dir(&one).unwrap() {
            for file in std::fs::read_dir(scenario.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let other = Path::new(&many).join(path.strip_prefix(&one).unwrap());
                let (left, right) = (std::fs::read(&path).unwrap(), std::fs::read(other).unwrap());
                // Where there is no router and nothing is lost, nothing happens that would be an event.
                assert!(!left.is_empty() || path.ends_with("events.jsonl"), "{}", path.display());
                assert!(left == right, "{}", path.display());
                compared += 1;
            }
        }
        let scenarios = quirknat_sim::scenario::builtin().len();
        assert_eq!(compared, 3 * scenarios, "capture, events and verdict of each scenario");
    }

    #[test]
    fn another_seed_gives_other_packets_and_the_same_verdict() {
        let folder = Folder::new("seed");
        let captures: Vec<Vec<u8>> = ["1", "2"]
            .iter()
            .map(|seed| {
                let out = folder.path(seed);
                assert!(quirknat(&["run", "pasv-21", "--seed", seed, "--out", &out]).status.success());
                std::fs::read(Path::new(&out).join("pasv-21/capture.pcapng")).unwrap()
            })
            .collect();
        assert_ne!(captures[0], captures[1]);
    }

    #[test]
    fn json_is_one_document() {
        let output = quirknat(&["run", "--json", "--filter", "21"]);
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let names: Vec<&str> = document["scenarios"]
            .as_array()
            .unwrap()
            .iter()
            .map(|scenario| scenario["name"].as_str().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "both-21-pasv",
                "both-21-port",
                "pasv-21",
                "port-21-forwarded",
                "port-21-rewritten",
                "two-connections"
            ]
        );
        assert_eq!(document["scenarios"][0]["as_expected"], true);
    }

    #[test]
    fn a_mistake_in_a_scenario_is_shown_where_it_stands() {
        let folder = Folder::new("mistakes");
        for (right, wrong, marked, words) in [
            ("client = \"pc\"", "client = \"cp\"", "\"cp\"", "unknown host `cp`"),
            ("on = \"home\"", "on = \"hom\"", "\"hom\"", "did you mean `home`"),
            ("192.168.1.100\"", "192.168.2.100\"", "\"192.168.2.100\"", "outside of its network's subnet"),
            ("192.168.1.100\"", "192.168.1.1\"", "\"192.168.1.1\"", "the router's own address"),
            ("mode = \"port\"", "mode = \"prt\"", "\"prt\"", "`port`"),
            ("data-port = 16683", "dataport = 16683", "dataport", "did you mean `data-port`"),
            ("linksys-befsr41-1.39", "linksys", "\"linksys\"", "unknown profile `linksys`"),
            ("wan = \"203.0.113.7\"", "wan = \"203.0.113\"", "\"203.0.113\"", "IPv4"),
            ("client-sent", "client-send", "client-send", "did you mean `client-sent`"),
        ] {
            assert!(BUILT_IN.contains(right), "{right}");
            let file = folder.write("wrong.toml", &BUILT_IN.replacen(right, wrong, 1));
            let output = quirknat(&["run", &file]);
            let text = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{wrong}: {text}");
            assert!(text.contains(words), "{wrong}: {text}");
            assert!(text.contains("wrong.toml:"), "{wrong}: {text}");
            let carets = "^".repeat(marked.len());
            let is_source = |line: &str| line.contains(" | ") && line.contains(marked);
            let line = text.lines().position(is_source).unwrap_or_else(|| panic!("{text}"));
            let under = text.lines().nth(line + 1).unwrap();
            assert!(under.contains(&carets), "{wrong}: {text}");
        }
    }

    #[test]
    fn what_cannot_be_played_is_named() {
        let folder = Folder::new("nothing");
        let empty = folder.path("empty");
        std::fs::create_dir(&empty).unwrap();
        assert_one_line(&quirknat(&["run", "/no/such/file.toml"]), 2, &["/no/such/file.toml"]);
        assert_one_line(&quirknat(&["run", &empty]), 2, &["holds no scenario file"]);
        assert_one_line(&quirknat(&["run", "--filter", "nothing has this"]), 2, &["no scenario is left"]);
        assert_one_line(
            &quirknat(&["run", "pasv-21", "pasv-21"]),
            2,
            &["two scenarios are called `pasv-21`"],
        );
    }

    #[test]
    fn a_place_that_cannot_be_written_to_is_the_environments() {
        let output = quirknat(&["run", "pasv-21", "--out", "/dev/null/x"]);
        assert_eq!(output.status.code(), Some(3));
        assert!(stderr(&output).starts_with("error: cannot write to /dev/null/x/pasv-21: "));
        assert_eq!(stderr(&output).lines().count(), 1);
        assert!(stdout(&output).starts_with("ok   pasv-21"), "the verdict is not lost: {}", stdout(&output));
    }
}

mod profile {
    use super::*;

    #[test]
    fn the_list_has_a_line_each() {
        let output = quirknat(&["profile", "list"]);
        let lines: Vec<_> = stdout(&output).lines().collect();
        assert_eq!(lines.len(), quirknat_router::profile::builtin().len(), "{lines:?}");
        assert!(lines.contains(&"linksys-befsr41-1.39  Linksys BEFSRx1 family, firmware 1.39"), "{lines:?}");
    }

    #[test]
    fn two_profiles_differ_in_what_is_shown_with_its_evidence() {
        let output = quirknat(&["profile", "diff", "full-cone", "port-restricted-cone"]);
        let lines: Vec<_> = stdout(&output).lines().collect();
        let paths: Vec<_> = lines.iter().filter(|line| !line.starts_with(' ')).copied().collect();
        assert_eq!(paths, ["nat.icmp.filtering", "nat.tcp.filtering", "nat.udp.filtering"]);
        let udp = lines.iter().position(|line| *line == "nat.udp.filtering").unwrap();
        assert!(
            lines[udp + 1]
                .starts_with("    full-cone             \"endpoint-independent\" (documented: RFC 3489 §5")
        );
        assert!(
            lines[udp + 2]
                .starts_with("    port-restricted-cone  \"address-and-port-dependent\" (documented: ")
        );

        let output = quirknat(&["profile", "diff", "full-cone", "full-cone", "--json"]);
        let document: serde_json::Value = serde_json::from_str(stdout(&output)).unwrap();
        assert_eq!(document["differences"], serde_json::json!([]));
        assert_eq!(quirknat(&["profile", "diff", "full-cone", "half-cone"]).status.code(), Some(2));
    }

    #[test]
    fn attacks_are_told_with_the_hole_whom_it_is_for_and_how_long() {
        let output = quirknat(&["profile", "attacks", "linksys-befsr41-1.39", "rfc-4787"]);
        let text = stdout(&output);
        let hole = "attack-slipstream            OPEN 203.0.113.7:5900 leads to 192.168.1.100:5900 for the attacker's host, for \
            300 s; the attacker came in";
        let (linksys, other) = text.split_once("rfc-4787\n").unwrap();
        assert!(linksys.starts_with("linksys-befsr41-1.39\n") && linksys.contains(hole), "{text}");
        assert!(!other.contains("OPEN"), "{text}");

        let output = quirknat(&["profile", "attacks", "rfc-4787", "--json"]);
        let document: serde_json::Value = serde_json::from_str(stdout(&output)).unwrap();
        assert_eq!(document["routers"][0]["attacks"][0]["attack"], "attack-bounce");
        assert_eq!(quirknat(&["profile", "attacks", "half-cone"]).status.code(), Some(2));
    }

    #[test]
    fn what_is_shown_is_a_profile_to_start_from() {
        let folder = Folder::new("show");
        let shown = quirknat(&["profile", "show", "linksys-befsr41-1.39"]);
        let line = stdout(&shown).lines().find(|line| line.starts_with("control-ports")).unwrap();
        assert!(line.contains("value = [21], evidence = \"documented\""), "{line}");
        let file = folder.write("mine.toml", stdout(&shown));
        let again = quirknat(&["profile", "show", &file, "--json"]);
        let document: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
        assert_eq!(document["alg"]["ftp"]["control-ports"]["value"], serde_json::json!([21]));
    }

    #[test]
    fn an_unknown_one_names_those_there_are() {
        let output = quirknat(&["profile", "show", "linksys-befsr41-1.93"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("unknown profile `linksys-befsr41-1.93`"), "{}", stderr(&output));
        assert!(stderr(&output).contains("`linksys-befsr41-1.39`"), "{}", stderr(&output));
    }

    #[test]
    fn a_wrong_value_is_shown_with_the_accepted_ones() {
        let folder = Folder::new("wrong-value");
        let shown = quirknat(&["profile", "show", "linksys-befsr41-1.39"]);
        let text = stdout(&shown).replace("value = \"segment-start\"", "value = \"segment-begin\"");
        let output = quirknat(&["profile", "show", &folder.write("mine.toml", &text)]);
        assert_eq!(output.status.code(), Some(2));
        for word in
            ["mine.toml:", "segment-begin", "^^^^", "`segment-start`", "`any-line-start`", "`anywhere`"]
        {
            assert!(stderr(&output).contains(word), "{word}: {}", stderr(&output));
        }
    }
}

mod router {
    use super::*;

    /// Wrong usage is found before a device is made, so these need no privilege.
    fn router(lan: &str, wan: &str, more: &[&str]) -> Output {
        let mut arguments = vec!["router", "--profile", "linksys-befsr41-1.39", "--lan", lan, "--wan", wan];
        arguments.extend(more);
        quirknat(&arguments)
    }

    const LAN: &str = "lan0=192.168.1.1/24";
    const WAN: &str = "wan0=203.0.113.7/24";

    #[test]
    fn wrong_usage_is_one_line_with_the_remedy() {
        for (lan, wan, more, words) in [
            ("lan0=192.168.1/24", WAN, &[][..], "write one as in 192.168.1.1/24"),
            ("lan0=192.168.1.1", WAN, &[], "write one as in 192.168.1.1/24"),
            ("lan0=192.168.1.1/33", WAN, &[], "write one as in 192.168.1.1/24"),
            ("192.168.1.1/24", WAN, &[], "write IFNAME=ROUTER_CIDR"),
            ("lan0=192.168.1.0/24", WAN, &[], "choose a host's address"),
            (LAN, "wan0=192.168.1.7/16", &[], "overlap"),
            (LAN, WAN, &["--lan", "lan1=192.168.1.2/24"], "overlap"),
            (LAN, "lan0=203.0.113.7/24", &[], "named twice"),
            ("a-name-much-too-long=192.168.1.1/24", WAN, &[], "1 to 15 characters"),
            (LAN, WAN, &["--forward", "tcp/21=10.0.0.1"], "10.0.0.1 is on no LAN"),
            (LAN, WAN, &["--forward", "21=192.168.1.100"], "write PROTO/PORT"),
            (
                LAN,
                WAN,
                &["--forward", "tcp/20-30=192.168.1.100", "--forward", "tcp/21=192.168.1.101"],
                "overlap",
            ),
            (LAN, WAN, &["--dmz", "pc"], "is not an IPv4 address"),
            (LAN, WAN, &["--dmz", "192.168.1.1"], "is the router itself"),
        ] {
            assert_one_line(&router(lan, wan, more), 2, &["error: ", words]);
        }
    }

    #[test]
    fn an_unknown_profile_is_wrong_usage() {
        let output = quirknat(&["router", "--profile", "nope", "--lan", LAN, "--wan", WAN]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("unknown profile `nope`"));
    }

    #[test]
    fn a_missing_option_is_wrong_usage() {
        assert_eq!(quirknat(&["router"]).status.code(), Some(2));
        assert_eq!(quirknat(&["frobnicate"]).status.code(), Some(2));
    }
}
