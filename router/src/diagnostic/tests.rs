use serde::Deserialize;

use super::*;

/// A file of another kind than a profile.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Trip {
    stop: Vec<Stop>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[expect(dead_code, reason = "read to be refused")]
struct Stop {
    town: String,
    by: Vehicle,
    wait: Option<u8>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Vehicle {
    Train,
    Tram,
}

fn refused(source: &str) -> Diagnostic {
    from_toml::<Trip>("trip.toml", source).unwrap_err()
}

#[test]
fn a_file_that_is_right_is_read() {
    let trip: Trip = from_toml("trip.toml", "[[stop]]\ntown = \"Ulm\"\nby = \"tram\"\n").unwrap();
    assert_eq!(trip.stop.len(), 1);
}

#[test]
fn a_key_that_one_of_many_tables_lacks_points_at_that_table() {
    let good = "[[stop]]\ntown = \"Ulm\"\nby = \"tram\"\n";
    insta::assert_snapshot!(refused(&format!("{good}[[stop]]\nwait = 3\n")));
}

#[test]
fn a_word_in_one_of_many_tables_is_explained() {
    insta::assert_snapshot!(refused("stop = [\n  { town = \"Ulm\", by = \"tran\" },\n]\n"));
}

#[test]
fn a_wrong_type_is_answered_with_the_words_that_may_stand_there() {
    insta::assert_snapshot!(refused("[[stop]]\r\ntown = \"Ulm\"\r\nby = [1]\r\n"));
}

#[test]
fn a_value_over_many_lines_has_its_first_line_marked() {
    insta::assert_snapshot!(refused("[[stop]]\ntown = [\n  1,\n  2,\n]\n"));
}

#[test]
fn the_column_counts_characters() {
    let diagnostic = refused("stop = [{ town = \"Köln\", bi = \"tram\" }]");
    assert!(diagnostic.to_string().contains(" --> trip.toml:1:26\n"), "{diagnostic}");
}

#[test]
fn an_error_of_the_toml_crate_alone_is_explained_as_far_as_it_goes() {
    let source = "[[stop]]\nby = \"tram\"\n";
    let error = toml::from_str::<Trip>(source).unwrap_err();
    let diagnostic = Diagnostic::from_toml_error("trip.toml", source, &error);
    assert_eq!(diagnostic.message(), "missing key `town` in `stop`");
    assert_eq!((diagnostic.span(), diagnostic.help()), (Some(0..8), None));
}

#[test]
fn a_place_outside_the_source_or_inside_a_character_is_moved() {
    let diagnostic = Diagnostic::new("x.toml", "é", "wrong");
    assert_eq!(diagnostic.clone().at(1..1).span(), Some(0..2));
    assert_eq!(diagnostic.clone().at(7..9).span(), Some(2..2));
    assert!(diagnostic.at(7..9).to_string().starts_with("wrong\n"));
}

#[test]
fn without_a_place_the_file_is_named() {
    let text = Diagnostic::new("x.toml", "", "empty").with_help("write something").to_string();
    assert!(text.contains("x.toml") && text.contains("help: write something"), "{text}");
}

#[test]
fn a_value_is_found_by_its_keys() {
    let source = "a.b = { value = 12, evidence = \"x\" }\n[c]\nd = [34]\n";
    assert_eq!(span_of(source, &["a", "b"]).and_then(|span| source.get(span)), Some("12"));
    assert_eq!(span_of(source, &["c", "d"]).and_then(|span| source.get(span)), Some("[34]"));
    assert_eq!(span_of(source, &["c", "e"]), None);
    assert_eq!(span_of(source, &[]), None);
    assert_eq!(span_of("a = ", &["a"]), None);
}

#[test]
fn the_nearest_word_is_meant_if_it_is_near() {
    let words = ["mapping", "filtering", "udp", "port-range"];
    let meant = |word| did_you_mean(word, words);
    assert_eq!(meant("maping"), Some("mapping"));
    assert_eq!(meant("MAPPING"), Some("mapping"));
    assert_eq!(meant("port_range"), Some("port-range"));
    assert_eq!(meant("dup"), Some("udp"));
    assert_eq!(meant("tcp"), None);
    assert_eq!(meant(""), None);
    assert_eq!(did_you_mean("x", []), None);
}
