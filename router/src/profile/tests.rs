use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::diagnostic::ReadError;

/// A user's profile, each value alone.
const SHORT: &str = include_str!("tests/short.toml");

fn linksys() -> &'static str {
    builtin().iter().find(|builtin| builtin.name == "linksys-befsr41-1.39").unwrap().toml
}

/// What a user sees whose profile is `text` with `from` replaced by `to`.
fn shown(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from:?} should stand in the profile once");
    Profile::from_toml("my-router.toml", &text.replace(from, to)).unwrap_err().to_string()
}

macro_rules! shows {
    ($($name:ident: $from:expr => $to:expr,)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(shown(SHORT, $from, $to));
        }
    )*};
}

shows! {
    unknown_key: "udp = 120" => "upd = 120",
    unknown_key_like_no_other: "udp = 120" => "udp = 120\nzzz = 1",
    unknown_key_of_a_large_table: "letter-case" => "letter-cose",
    unknown_key_in_the_long_form: "udp = 120" => "udp = { value = 120, evidense = \"measured\", source = \"here\" }",
    unknown_table: "[fragments]" => "[fragmens]",
    unknown_word: "ping = \"drop\"" => "ping = \"dorp\"",
    unknown_word_in_a_list: "[\"PORT\"]" => "[\"PORT\", \"EPTR\"]",
    unknown_word_in_the_long_form:
        "ping = \"drop\"" => "ping = { value = \"dorp\", evidence = \"measured\", source = \"here\" }",
    unknown_evidence:
        "ping = \"drop\"" => "ping = { value = \"drop\", evidence = \"guessed\", source = \"here\" }",
    number_for_a_word: "ping = \"drop\"" => "ping = 3",
    number_for_a_word_in_the_long_form:
        "ping = \"drop\"" => "ping = { value = 3, evidence = \"measured\", source = \"here\" }",
    number_for_a_word_in_a_list: "[\"PORT\"]" => "[\"PORT\", 227]",
    number_for_a_list: "control-ports = [21]" => "control-ports = 21",
    word_for_a_list_of_words: "[\"PORT\"]" => "\"PORT\"",
    word_for_a_number: "udp = 120" => "udp = \"2min\"",
    word_for_a_truth: "dmz-host = true" => "dmz-host = \"yes\"",
    date_for_a_word: "ping = \"drop\"" => "ping = 2001-05-01",
    number_too_large: "control-ports = [21]" => "control-ports = [21, 70000]",
    number_much_too_large: "udp = 120" => "udp = 99999999999999999999",
    number_negative: "udp = 120" => "udp = -1",
    value_for_a_table: "tracking = \"loose\"" => "tracking = { loose = true }",
    missing_key: "udp = 120\n" => "",
    evidence_without_a_source: "udp = 120" => "udp = { value = 120, evidence = \"measured\", source = \"\" }",
    missing_key_in_the_long_form: "udp = 120" => "udp = { value = 120, evidence = \"measured\" }",
    missing_table:
        "[ip]\nidentification = \"keep\"\nsources = \"lan\"\noptions = \"pass\"\nown-type-of-service = \"zero\"\nown-dont-fragment = \"all\"\n"
            => "",
    missing_name: "name = \"my-router\"\n" => "",
    duplicate_key: "udp = 120" => "udp = 120\nudp = 121",
    syntax_error: "udp = 120" => "udp = ",
    syntax_error_unclosed: "[timeouts]" => "[timeouts",
    syntax_error_unquoted: "ping = \"drop\"" => "ping = drop",
    duplicate_table: "[tcp]" => "[ports]",
    missing_keys: "udp = 120\nudp-answered = 120\n" => "",
    port_range_backwards: "1024-65535" => "65535-1024",
    port_range_too_large: "1024-65535" => "1024-65536",
    port_range_as_number: "\"1024-65535\"" => "1024",
    name_of_two_words: "\"my-router\"" => "\"my router\"",
    duplicate_port: "control-ports = [21]" => "control-ports = [21, 2121, 21]",
    duplicate_command: "[\"PORT\"]" => "[\"PORT\", \"PORT\"]",
    table_too_large: "translations = 2048" => "translations = 4000001",
    two_faults_in_the_files_order:
        "udp = 120\nudp-answered = 120" => "udp = 0\nudp-answered = { value = 0, evidence = \"measured\", source = \"here\" }",
    overloading_without_dependent_mappings: "overloading = false" => "overloading = true",
    parity_of_one_port: "parity = false\nsystem-ports = \"any\"\nrange = \"1024-65535\"" => "parity = true\nsystem-ports = \"any\"\nrange = \"1024-1024\"",
    strict_in_mid_stream: "tracking = \"loose\"" => "tracking = \"strict\"",
    reassembling_without_holding: "handling = \"follow\"\ntimeout = 30\nheld = 16" => "handling = \"reassemble\"\ntimeout = 30\nheld = 0",
    taking_over_what_is_not_preserved:
        "allocation = \"preserving\"\non-conflict = \"next\"" => "allocation = \"random\"\non-conflict = \"take-over\"",
    resting_what_is_taken_over:
        "on-conflict = \"next\"\nparity = false\nsystem-ports = \"any\"\nrange = \"1024-65535\"\noverloading = false\nreuse-delay = 0"
            => "on-conflict = \"take-over\"\nparity = false\nsystem-ports = \"any\"\nrange = \"1024-65535\"\noverloading = false\nreuse-delay = 120",
    resting_what_is_shared: "overloading = false\nreuse-delay = 0" => "overloading = true\nreuse-delay = 120",
    upnp_for_no_port: "upnp-igd = false" => "upnp-igd = true",
    delaying_no_answer: "syn-answer-delay = 0" => "syn-answer-delay = 6",
    control_characters: "udp = 120" => "\"u\\u001b[31mdp\" = 120",
}

#[test]
fn an_empty_file_lacks_everything() {
    insta::assert_snapshot!(Profile::from_toml("empty.toml", "").unwrap_err());
}

#[test]
fn colours_are_for_terminals_only() {
    let text = SHORT.replace("udp = 120", "upd = 120");
    let Err(ProfileError::Invalid(diagnostics)) = Profile::from_toml("x.toml", &text) else {
        panic!("an unknown key was accepted");
    };
    assert!(diagnostics[0].styled().contains('\u{1b}'));
    assert!(!diagnostics[0].to_string().contains('\u{1b}'));
}

#[test]
fn zero_is_refused_where_it_would_mean_nothing() {
    for line in [
        "tcp-opening = 240",
        "tcp-established = 7440",
        "tcp-half-closed = 7440",
        "tcp-closing = 240",
        "tcp-reset = 240",
        "udp = 120",
        "udp-answered = 120",
        "icmp = 60",
        "icmp-answered = 60",
        "translations = 2048",
        "timeout = 30",
        "data-port-tries = 1",
        "forward-outstanding = 8",
        "rewrites-remembered = 8",
        "control-ports = [21]",
        "upnp-igd-port = 5000",
    ] {
        let (key, value) = line.split_once(" = ").unwrap();
        let zero = value.replace(|letter: char| letter.is_ascii_digit(), "").replace("[]", "[0]");
        let zero = if zero.is_empty() { "0".to_owned() } else { zero };
        let text = shown(SHORT, &format!("\n{line}\n"), &format!("\n{key} = {zero}\n"));
        assert!(text.contains(&format!("| {key} = {zero}\n")), "{text}");
    }
}

#[test]
fn a_forward_that_time_does_not_end_must_end_with_its_control_connection() {
    let endless = SHORT.replace("forward-lifetime = 300", "forward-lifetime = 0");
    assert!(Profile::from_toml("my-router.toml", &endless).is_ok());
    let text = shown(&endless, "forward-ends-with-control = true", "forward-ends-with-control = false");
    assert!(text.contains("the forward would never end"), "{text}");
}

#[test]
fn numbers_that_remember_so_many_rewrites_remember_no_others() {
    for (numbers, remembered) in [("two-offsets", 2), ("two-deltas", 2), ("two-slots", 2), ("latest", 1)] {
        let other = SHORT.replace("\"exact-map\"", &format!("\"{numbers}\""));
        let right = other.replace("rewrites-remembered = 8", &format!("rewrites-remembered = {remembered}"));
        assert!(Profile::from_toml("my-router.toml", &right).is_ok());
        let text = shown(&other, "rewrites-remembered = 8", "rewrites-remembered = 3");
        assert!(text.contains(&format!("rewrites-remembered is 3, expected {remembered}")), "{text}");
    }
}

#[test]
fn short_and_long_form_say_the_same() {
    let short = Profile::from_toml("short.toml", SHORT).unwrap();
    let long = Profile::named("linksys-befsr41-1.39").unwrap();
    assert_eq!(short.alg.ftp.dialect(), long.alg.ftp.dialect());
    assert_eq!(short.ports.range.value, PortRange { first: 1024, last: 65535 });
    assert_eq!(short.timeouts.udp.evidence, None);
    assert_eq!(long.timeouts.udp.evidence, Some(Evidence::Assumed));
}

#[test]
fn the_befsrx1_translates_port_commands_on_port_21_only() {
    let dialect = Profile::named("linksys-befsr41-1.39").unwrap().alg.ftp.dialect();
    assert_eq!(dialect.control_ports, [21]);
    assert_eq!(dialect.commands, [Command::Port]);
    assert!(linksys().contains("Only on port 21"));
}

#[test]
fn every_builtin_loads_by_its_own_name() {
    for builtin in builtin() {
        let profile = Profile::named(builtin.name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(profile.name, builtin.name);
    }
    let names: Vec<_> = builtin().iter().map(|builtin| builtin.name).collect();
    assert!(names.is_sorted(), "{names:?}");
}

#[test]
fn what_is_written_down_of_a_profile_reads_as_the_same() {
    let short = Profile::from_toml("short.toml", SHORT).unwrap();
    let long = Profile::named("rfc-4787").unwrap();
    for profile in [short, long] {
        let written = toml::to_string(&profile).unwrap();
        assert_eq!(Profile::from_toml("again.toml", &written).unwrap(), profile, "{written}");
    }
}

#[test]
fn every_value_of_every_builtin_has_evidence_and_a_source() {
    for builtin in builtin() {
        let profile = serde_json::to_value(Profile::named(builtin.name).unwrap()).unwrap();
        let mut values = 0;
        each_value(&profile, &mut String::new(), &mut |place, evidence, source| {
            values += 1;
            assert!(source.len() > 10, "{}: {place} has no source", builtin.name);
            if evidence == "documented" {
                let named = documents().iter().any(|document| source.contains(document));
                assert!(named, "{}: the source of {place} names no document", builtin.name);
            }
            if evidence == "source-read" {
                let mut words = source.split([' ', ',', ':', ';']);
                let named = words.any(|word| [".c", ".h", ".cdl"].iter().any(|end| word.ends_with(end)));
                assert!(named, "{}: the source of {place} names no source file", builtin.name);
            }
        });
        assert!(values > 30, "{}: found {values} values only", builtin.name);
    }
}

/// What a documented value can rest on: the rows of the article's catalogue, what is stated publicly besides, and for types
/// of NAT the RFCs that define them.
fn documents() -> &'static [&'static str] {
    &[
        "port-21-rewritten",
        "port-21-forwarded",
        "port-other-untouched",
        "server-pasv-leaks",
        "publicly stated",
        "www.gbnetwork.co.uk/smcftpd",
        "Documentation/networking/",
        "the rules above",
        "RFC 3489 §5",
        "RFC 4787 REQ-",
        "RFC 5382 REQ-",
        "RFC 5382 §5",
        "RFC 5508 REQ-",
        "RFC 6888 REQ-",
        "RFC 7857 §",
        "RFC 959",
        "RFC 1123 §4",
        "RFC 2428",
        "RFC 2577",
        "RFC 2663 §7",
        "RFC 3022 §4",
        "RFC 3027",
        "RFC 4217",
        "RFC 6384",
    ]
}

/// Calls `seen` with each value of the profile; a leaf that is none, apart from name and title, is a failure.
fn each_value(value: &Value, place: &mut String, seen: &mut impl FnMut(&str, &str, &str)) {
    let Value::Object(table) = value else {
        assert!(["/name", "/title"].contains(&place.as_str()), "{place} carries no evidence");
        return;
    };
    if let (Some(_), Some(evidence), Some(source)) =
        (table.get("value"), table.get("evidence"), table.get("source"))
    {
        let evidence = evidence.as_str().unwrap_or_else(|| panic!("{place} has no evidence"));
        seen(place, evidence, source.as_str().unwrap());
        return;
    }
    for (key, inner) in table {
        let length = place.len();
        place.push('/');
        place.push_str(key);
        each_value(inner, place, seen);
        place.truncate(length);
    }
}

/// A path of its own for one test's file.
fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("quirknat-profile-{}-{name}", std::process::id()))
}

#[test]
fn a_name_or_a_path_resolves() {
    assert!(Profile::resolve("linksys-befsr41-1.39").is_ok());
    let path = scratch("ok.toml");
    std::fs::write(&path, SHORT).unwrap();
    let profile = Profile::resolve(path.to_str().unwrap());
    std::fs::remove_file(&path).unwrap();
    assert_eq!(profile.unwrap().name, "my-router");
}

#[test]
fn an_unknown_name_is_answered_with_the_known_ones() {
    let error = Profile::resolve("linksys-befsr41-139").unwrap_err();
    insta::assert_snapshot!(error);
    assert!(matches!(Profile::resolve(""), Err(ProfileError::Unknown { .. })));
    assert!(!Profile::resolve("quite-another").unwrap_err().to_string().contains("did you mean"));
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let failure = |path: &str| match Profile::resolve(path) {
        Err(ProfileError::Unreadable(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(failure("./no-such-file"), ReadError::Missing { .. }));
    assert!(matches!(failure("no-such-file.toml"), ReadError::Missing { .. }));
    assert!(matches!(failure("src/"), ReadError::Directory { .. }));
    assert!(matches!(failure("/dev/zero"), ReadError::TooLarge { .. }));
    assert!(matches!(failure("Cargo.toml/x"), ReadError::Failed { .. }));
    assert!(matches!(failure("a\0b.toml"), ReadError::Failed { .. }));
}

#[test]
fn a_file_that_is_not_text_shows_the_octet() {
    let path = scratch("latin1.toml");
    std::fs::write(&path, b"name = \"x\"\ntitle = \"caf\xe9\"\n").unwrap();
    let error = Profile::from_file(&path).unwrap_err().to_string();
    std::fs::remove_file(&path).unwrap();
    insta::assert_snapshot!(error.replace(path.to_str().unwrap(), "latin1.toml"));
}

/// Reads the text and, where that fails, renders why: neither may panic.
fn read_and_render(text: &str) {
    if let Err(error) = Profile::from_toml("any.toml", text) {
        assert!(!error.to_string().is_empty());
        if let ProfileError::Invalid(diagnostics) = error {
            assert!(!diagnostics[0].styled().is_empty());
        }
    }
}

proptest! {
    #[test]
    fn any_octets_are_answered(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        read_and_render(&String::from_utf8_lossy(&octets));
    }

    #[test]
    fn any_text_of_toml_letters_is_answered(text in "[\\[\\]{}=,.\"'#\n\r\t a-z0-9_é\u{0}\u{feff}-]{0,80}") {
        read_and_render(&text);
    }

    #[test]
    fn a_profile_with_a_part_replaced_is_answered(
        long in any::<bool>(),
        at in any::<prop::sample::Index>(),
        length in 0_usize..40,
        other in "[\\[\\]{}=,.\"'\n a-z0-9é-]{0,12}",
    ) {
        let mut text = if long { linksys() } else { SHORT }.to_owned();
        let start = text.floor_char_boundary(at.index(text.len()));
        let end = text.ceil_char_boundary(start + length);
        text.replace_range(start..end, &other);
        read_and_render(&text);
    }

    #[test]
    fn a_profile_with_two_lines_exchanged_is_answered(
        one in any::<prop::sample::Index>(),
        two in any::<prop::sample::Index>(),
    ) {
        let mut lines: Vec<_> = SHORT.lines().collect();
        let (one, two) = (one.index(lines.len()), two.index(lines.len()));
        lines.swap(one, two);
        read_and_render(&lines.join("\r\n"));
    }
}
