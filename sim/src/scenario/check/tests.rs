use std::fmt::Write;

use crate::scenario::Scenario;
use crate::scenario::language::BackendName;

const HOME: &str = include_str!("tests/home.toml");

/// Each mistake, made in a scenario that is right: what is written, what stands there instead, and all that is said of it.
fn told(mistakes: &[(&str, &str)]) -> String {
    let mut told = String::new();
    for (right, wrong) in mistakes {
        assert!(HOME.contains(right), "{right}");
        let text = HOME.replacen(right, wrong, 1);
        match Scenario::from_toml("home.toml", &text) {
            Ok(_) => panic!("it is taken: {wrong}"),
            Err(error) => write!(told, "── {}\n{error}\n\n", wrong.trim().replace('\n', "\n   ")).unwrap(),
        }
    }
    told
}

/// Snapshots say where they are from; what was written is in them.
fn snapshot(name: &str, told: &str) {
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(name, told) });
}

/// Each text, put behind the right one.
fn told_behind(additions: &[&str]) -> String {
    let end = "# end";
    let mistakes: Vec<_> = additions.iter().map(|addition| (end, *addition)).collect();
    told(&mistakes)
}

#[test]
fn the_scenario_without_mistakes_is_taken() {
    Scenario::from_toml("home.toml", HOME).unwrap();
}

#[test]
fn words_that_the_language_does_not_have() {
    snapshot(
        "words",
        &told(&[
            ("mode = \"port\"", "mode = \"prot\""),
            ("data-port = 16683", "dataport = 16683"),
            ("data-port = 16683", "data-ports = \"50010-50000\""),
            ("data-port = 16683", "fallback = [\"pasv\", \"active\"]"),
            ("data-port = 16683", "segments = 0"),
            ("data-port = 16683", "segments = [3, 0]"),
            ("data-port = 16683", "segments = \"three\""),
            ("ftp-server = { port = 21", "ftp-server = { lacks = [\"retr\"], port = 21"),
            ("ftp-server = { port = 21", "ftp-server = { prot = 21"),
            ("control = \"ok\"", "contol = \"ok\""),
            ("control = \"ok\"", "control = \"okay\""),
            ("wan = \"100.64.0.7\"", "wan = \"100.64.0\""),
            ("delay = \"20 ms\"", "delay = \"20\""),
            ("delay = \"20 ms\"", "delay = 20"),
            ("mtu = 1492", "mtu = 60"),
            ("loss = \"1%\"", "loss = 2"),
            ("request = 100", "request = [100]"),
            ("request = 100", "request = -1"),
            ("wait = \"2 h\"", "wiat = \"2 h\""),
            ("files = { \"readme.txt\" = 1024 }", "files = { \"readme.txt\" = -1 }"),
            ("client = \"pc\", server = \"server\", mode", "server = \"server\", mode"),
            ("[host.pc]\non = \"home\"", "[host.pc]"),
        ]),
    );
}

#[test]
fn networks_that_cannot_be_plugged_together() {
    snapshot(
        "topology",
        &told(&[
            ("title = \"a home\"", "title = \" \""),
            ("[host.pc]\non = \"home\"", "[host.pc]\non = \"hmoe\""),
            ("on = \"carrier\"", "on = \"carier\""),
            ("[network.carrier]\nlan", "[network.internet]\nlan"),
            ("[host.laptop]", "[host.\"lap top\"]"),
            (
                "router = { profile = \"linksys-befsr41-1.39\", wan = \"198.51.100.1\" }",
                "router = { profile = \"linksys-befsr41-1.39\", wan = \"192.168.1.77\", on = \"home\" }",
            ),
            ("address = \"192.168.1.101\"", "address = \"192.168.1.100\""),
            ("address = \"100.64.0.9\"", "address = \"100.64.0.7\""),
            ("address = \"192.168.1.101\"", "address = \"192.168.2.101\""),
            ("address = \"192.168.1.101\"", "address = \"192.168.1.0\""),
            ("address = \"192.168.1.101\"", "address = \"192.168.1.255\""),
            ("address = \"192.168.1.101\"", "address = \"192.168.1.1\""),
            ("wan = \"100.64.0.7\"", "wan = \"203.0.113.7\""),
            ("address = \"198.51.100.9\"", "address = \"10.0.0.9\""),
            ("address = \"198.51.100.9\"", "address = \"224.0.0.9\""),
            ("address = \"198.51.100.9\"", "address = \"192.0.2.1\""),
            ("lan = \"192.168.1.1/24\"", "lan = \"192.168.1.1\""),
            ("lan = \"100.64.0.1/10\"", "lan = \"192.168.0.1/16\""),
            ("tcp/21=192.168.1.100", "tcp/21=192.168.7.100"),
            ("tcp/21=192.168.1.100", "tcp21=192.168.1.100"),
            ("ftp-server = { port = 21", "ftp-server = { port = 0"),
            ("ftp-server = { port = 21", "ftp-server = { software = \"vsftp\""),
            (
                "ftp-server = { port = 21",
                "ftp-server = { software = \"iis\", passive-address = \"203.0.113.7\", port = 21",
            ),
            (
                "ftp-server = { port = 21",
                "ftp-server = { passive-ports = \"40000-40010\", software = \"ftpd\", port = 21",
            ),
            ("files = { \"readme.txt\" = 1024 }", "files = { \"readme.txt\" = 300000000000 }"),
        ]),
    );
}

#[test]
fn profiles_that_cannot_be_had() {
    snapshot(
        "profiles",
        &told(&[
            ("profile = \"linksys-befsr41-1.39\"\non", "profile = \"linksys-befsr41-1.40\"\non"),
            ("profile = \"linksys-befsr41-1.39\"\non", "profile = \"./none.toml\"\non"),
            ("\"alg.ftp.control-ports\" = [21, 2121]", "\"alg.ftp.control-port\" = [21, 2121]"),
            ("\"alg.ftp.control-ports\" = [21, 2121]", "alg.ftp.control-ports = [21, 2121]"),
            ("\"alg.ftp.control-ports\" = [21, 2121]", "\"alg.ftp.control-ports\" = 21"),
            ("\"alg.ftp.control-ports\" = [21, 2121]", "\"wan.ping\" = \"answer\", \"timeouts.udp\" = 0"),
            ("\"alg.ftp.control-ports\" = [21, 2121]", "\"nat.udp.mapping\" = \"endpoint-dependent\""),
            ("\"alg.ftp.control-ports\" = [21, 2121]", "\"name\" = \"mine\""),
        ]),
    );
}

#[test]
fn links_that_are_not_what_their_author_means() {
    snapshot(
        "links",
        &told(&[
            ("link = { delay = \"20 ms\", loss = \"1%\" }", "link = { delay = \"20 ms\", queue = 10 }"),
            ("link = { delay = \"20 ms\", loss = \"1%\" }", "uplink = { delay = \"0 s\", reorder = \"1%\" }"),
            (
                "link = { delay = \"20 ms\", loss = \"1%\" }",
                "link = { burst-loss = { good-to-bad = 0.1, bad-to-good = 0 } }",
            ),
            ("both = { down = true }", "up = { queue = 3 }"),
            ("both = { down = true }", "both = {}"),
            ("wire = \"home.wan\"", "wire = \"home.wna\""),
        ]),
    );
}

#[test]
fn steps_that_are_none_or_can_never_happen() {
    let step = |text: &str| format!("[[step]]\n{text}\n");
    let steps = [
        "name = \"nothing\"",
        "wait = \"1 s\"\nping = { from = \"pc\", to = \"server\" }",
        "parallel = []",
        "parallel = [{ wait = \"1 s\" }, { name = \"idle\" }]",
        "parallel = [{ wait = \"1 s\" }, { ftp = { client = \"pc\", server = \"sever\" } }]",
        "ftp = { client = \"pc\", server = \"pc\" }",
        "ftp = { client = \"pc\", server = \"laptop\" }",
        "ftp = { client = \"pc\", server = \"server\", get = \"readme.text\" }",
        "ftp = { client = \"pc\", server = \"server\", get = \"readme.txt\", put = { name = \"a\", size = 1 } }",
        "ftp = { client = \"pc\", server = \"server\", software = \"vsftpd\" }",
        "ftp = { client = \"pc\", server = \"server\", software = \"ncftp\", mode = \"epsv\" }",
        "ftp = { client = \"pc\", server = \"server\", software = \"ftp\", fallback = [\"no-command\", \"pasv\"] }",
        "ftp = { client = \"pc\", server = \"server\", software = \"ws_ftp\", mode = \"port\", announce = \"203.0.113.7\" }",
        "ftp = { client = \"pc\", server = \"server\", software = \"wget\", mode = \"port\", data-ports = \"50000-50010\" }",
        "ftp = { client = \"pc\", server = \"server\", data-port = 50000, data-ports = \"50000-50010\" }",
        "ftp = { client = \"pc\", server = \"server\", fallback-on = [\"refused\"] }",
        "ftp = { client = \"pc\", server = \"server\", data-port = 0 }",
        "ftp = { client = \"pc\", server = \"server\", source-port = 0 }",
        "assumed = \"no source says\"\nwait = \"1 s\"",
        "assumed = \" \"\nwait = \"1 s\"\nexpect = { translations.home = 0 }",
        "assumed = \"no source says\"\nparallel = [{ wait = \"1 s\" }]",
        "tcp = { client = \"pc\", server = \"server\", port = 21 }",
        "tcp = { client = \"pc\", server = \"pc\", port = 80 }",
        "udp = { client = \"pc\", server = \"server\", port = 53, to = \"203.0.113.7\" }",
        "udp = { client = \"pc\", server = \"server\", port = 53, times = 0 }",
        "udp = { client = \"pc\", server = \"server\", port = 53, request = 70000 }",
        "udp = { client = \"pc\", server = \"server\", port = 53, times = 100, every = \"1 h\" }",
        "ping = { from = \"pc\", to = \"198.51.100\" }",
        "ping = { from = \"pc\", to = \"pc\" }",
        "ping = { from = \"pc\", to = \"server\", count = 0 }",
        "packet = { from = \"pc\", send = [] }",
        "packet = { from = \"pc\", send = [\"udp 192.168.1.100:1 > 198.51.100.9:53 tll=5\"] }",
        "packet = { from = \"pc\", send = ['tcp 192.168.1.100:1 > 198.51.100.9:21'] }",
        "packet = { from = \"pc\", send = [\"udp 192.168.1.100:1 > 198.51.100.9:53 \\\"a\\\" tll=5\"] }",
        "run = { on = \"pc\", command = [] }",
        "wait = \"25 h\"",
        "after = \"23 h\"\nwait = \"2 h\"",
        "restart = { network = \"internet\" }",
        "wan-address = { network = \"home\", address = \"100.64.0.7\" }",
        "wan-address = { network = \"home\", address = \"100.64.0.9\" }",
        "wan-address = { network = \"home\", address = \"101.65.0.9\" }",
        "wan-address = { network = \"carrier\", address = \"10.0.0.1\" }",
    ];
    let steps: Vec<String> = steps.map(step).into();
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    snapshot("steps", &told_behind(&steps));
}

#[test]
fn expectations_that_cannot_be_told() {
    let ping = |text: &str| {
        format!("[[step]]\nping = {{ from = \"pc\", to = \"server\" }}\nexpect = {{ {text} }}\n")
    };
    let pings = [
        "reply = 226",
        "icmp-error = \"time-exeeded from 203.0.113.7\"",
        "icmp-error = \"time-exceeded\"",
        "packets = { \"home.lan.pd\" = [\"*\"] }",
        "packets = { \"home.lan.pc\" = [] }",
        "packets = { \"home.lan.pc\" = [\"icmp * > * echo-request lenght=56\"] }",
        "no-packets = { \"home.wan\" = [\"tcp 1.2.3:* > *\"] }",
        "events = { hoem = [\"*\"] }",
        "no-events = { internet = [\"*\"] }",
        "translations = { network = 1 }",
        "table = { homes = [\"*\"] }",
        "cause = \"table-full\"",
    ];
    let pings: Vec<String> = pings.map(ping).into();
    let mut texts: Vec<&str> = pings.iter().map(String::as_str).collect();
    texts.extend([
        "[[step]]\nparallel = [{ wait = \"1 s\" }]\nexpect = { control = \"ok\" }\n",
        "[[step]]\nwait = \"1 s\"\n[step.expect]\noutcome = \"ok\"\n",
        "[[step]]\nftp = { client = \"pc\", server = \"server\" }\nexpect.cause = \"tabel-full\"\n",
        "[[step]]\nftp = { client = \"pc\", server = \"server\" }\nexpect.reply = 26\n",
        "[[step]]\nftp = { client = \"pc\", server = \"server\" }\nexpect.data-syn-at-client = \"192.168.1.100 > *\"\n",
        "[[step]]\nftp = { client = \"pc\", server = \"server\" }\nexpect.client-log = [\"PORT *\\r\\n\"]\n",
        "[[step]]\nping = { from = \"pc\", to = \"server\" }\nexpect.server-log = [\"PORT *\"]\n",
        "[[step]]\nftp = { client = \"pc\", server = \"server\" }\nexpect.gateway = \"ignored\"\n",
        "[[step]]\nudp = { client = \"pc\", server = \"server\", port = 53 }\nexpect.seen-from = \"203.0.113.7\"\n",
    ]);
    snapshot("expectations", &told_behind(&texts));
}

#[test]
fn programs_run_in_namespaces_alone() {
    let with_program = |only: &str, program: &str| {
        let text = HOME.replacen("title = \"a home\"", &format!("title = \"a home\"\n{only}"), 1);
        text.replacen("[host.laptop]", &format!("[host.laptop]\n{program}"), 1)
    };
    let netns = "only = { backend = \"netns\", because = \"it runs real programs\" }";
    let sim = "only = { backend = \"sim\", because = \"a matter of taste\" }";
    let program = "program = [{ command = [\"vsftpd\"], listens = 2021 }]";
    for only in ["", netns] {
        let scenario = Scenario::from_toml("home.toml", &with_program(only, program)).unwrap();
        assert_eq!(scenario.runs_only_on(), Some((BackendName::Netns, "it runs real programs")));
    }
    assert_eq!(Scenario::from_toml("home.toml", HOME).unwrap().runs_only_on(), None);
    let mut told = String::new();
    for (only, program) in [
        (sim, program),
        (netns, "program = [{ command = [] }]"),
        (netns, "ftp-server = { port = 2021 }\nprogram = [{ command = [\"vsftpd\"], listens = 2021 }]"),
    ] {
        let error = Scenario::from_toml("home.toml", &with_program(only, program)).unwrap_err();
        write!(told, "{error}\n\n").unwrap();
    }
    let run = format!(
        "{}\n[[step]]\nrun = {{ on = \"pc\", command = [\"curl\"] }}\nexpect = {{ server-saw = \"QUIT\" }}\n",
        with_program(netns, program)
    );
    told.push_str(&Scenario::from_toml("home.toml", &run).unwrap_err().to_string());
    snapshot("programs", &told);
}

#[test]
fn a_server_that_nothing_leads_to_is_no_mistake() {
    let text = HOME.replace("forward = [\"tcp/21=192.168.1.100\"]", "");
    Scenario::from_toml("home.toml", &text).unwrap();
}

#[test]
fn a_file_that_was_stored_before_can_be_fetched() {
    let put =
        "[[step]]\nftp = { client = \"pc\", server = \"server\", put = { name = \"new\", size = 9 } }\n";
    let get = "[[step]]\nftp = { client = \"pc\", server = \"server\", get = \"new\" }\n";
    Scenario::from_toml("home.toml", &format!("{HOME}{put}{get}")).unwrap();
    Scenario::from_toml("home.toml", &format!("{HOME}{get}{put}")).unwrap_err();
}

#[test]
fn the_smallest_mtu_of_a_lan_is_that_of_its_router() {
    let scenario = Scenario::from_toml("home.toml", HOME).unwrap();
    let config =
        |name: &str| crate::scenario::resolve::config(&scenario, name, &scenario.network[name]).unwrap();
    assert_eq!((config("home").lan_mtu, config("home").wan_mtu), (1400, 1500));
    assert_eq!((config("carrier").lan_mtu, config("carrier").wan_mtu), (1500, 1500));
}

#[test]
fn replaced_values_are_those_of_the_router() {
    let scenario = Scenario::from_toml("home.toml", HOME).unwrap();
    let profile = crate::scenario::resolve::profile(&scenario.network["home"].router).unwrap();
    assert_eq!(*profile.alg.ftp.control_ports, [21, 2121]);
    assert_eq!(
        *crate::scenario::resolve::profile(&scenario.network["carrier"].router)
            .unwrap()
            .alg
            .ftp
            .control_ports,
        [21]
    );
}

#[test]
fn the_largest_file_is_what_client_and_server_take() {
    let server = crate::ftp::ServerConfig::default();
    let client = crate::ftp::ClientPlan::default();
    assert_eq!(
        (server.max_file, client.max_received),
        (super::topology::LARGEST_FILE, super::topology::LARGEST_FILE)
    );
}

#[test]
fn a_step_has_no_key_besides_its_actions_and_what_all_have() {
    let schema = crate::scenario::language::schema::schema();
    let one_of = schema["definitions"]["Step"]["oneOf"].as_array().unwrap();
    let of_schema: Vec<&str> = one_of.iter().map(|action| action["required"][0].as_str().unwrap()).collect();
    assert_eq!(of_schema, crate::scenario::language::schema::ACTIONS);
    let keys = schema["definitions"]["Step"]["properties"].as_object().unwrap();
    let others = keys.keys().filter(|key| !of_schema.contains(&key.as_str()));
    assert_eq!(others.collect::<Vec<_>>(), ["after", "assumed", "expect", "name"]);
}

#[test]
fn every_expectation_is_known_to_be_of_some_actions_or_of_all() {
    let schema = crate::scenario::language::schema::schema();
    let keys = schema["definitions"]["Expect"]["properties"].as_object().unwrap();
    let of_all = ["packets", "no-packets", "events", "no-events", "translations", "table"];
    for (key, value) in keys {
        let of = super::expectations::OF_ACTIONS.iter().find(|(known, _)| known == key);
        assert_eq!(of.is_none(), of_all.contains(&key.as_str()), "{key}");
        let meaning = value["description"].as_str().unwrap();
        for action in of.map(|(_, of)| *of).unwrap_or_default() {
            assert!(meaning.contains(action), "the meaning of {key} does not name {action}: {meaning}");
        }
    }
    assert!(super::expectations::OF_ACTIONS.iter().all(|(key, _)| keys.contains_key(*key)));
}
