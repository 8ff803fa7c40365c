//! Whatever crossed a wire is shown as text, in every form.

use proptest::prelude::*;

use super::{Story, Telling, html, markdown, tell, text};
use crate::scenario::language::BackendName;
use crate::scenario::{Scenario, play};

/// The story of a session with a server that greets so, and a file that is called so.
fn story(banner: &str, file: &str) -> Story {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let scenario = format!(
        "title = {}\n[network.home]\nlan = \"192.168.1.1/24\"\nrouter = {{ profile = \"linksys-befsr41-1.39\", wan = \
         \"203.0.113.7\" }}\n[host.pc]\non = \"home\"\naddress = \"192.168.1.100\"\n[host.server]\non = \
         \"internet\"\naddress = \"198.51.100.9\"\nftp-server = {{ port = 21, banner = {} }}\n[[step]]\nftp = {{ \
         client = \"pc\", server = \"server\", mode = \"port\", put = {{ name = {}, size = 9 }}, patience = \"2 s\" }}\n",
        // Blanks alone are no title.
        quoted(&format!("of {file}")),
        quoted(banner),
        quoted(file)
    );
    let scenario = Scenario::from_toml("hostile.toml", &scenario).unwrap();
    let telling = Telling { backend: BackendName::Sim, seed: 0, step: None, all_packets: true };
    tell(&play("hostile", &scenario, 0), telling).unwrap()
}

/// Text with all that could be markup, steer something, or be taken for an end.
fn hostile() -> impl Strategy<Value = String> {
    let bits = prop::sample::select(vec![
        "<",
        ">",
        "&",
        "\"",
        "'",
        "`",
        "``",
        "|",
        "#",
        ";",
        "%%",
        "{{",
        "}}",
        "]]>",
        "-->",
        "</script>",
        "</svg>",
        "<img src=x>",
        "\u{1b}[31m",
        "\u{202e}",
        "\u{0}",
        "\t",
        "名前",
        "\u{301}",
        "end",
        "Note over s0:",
        "*",
        "_",
        "\\",
        "\u{ffff}",
        " ",
        "227 Entering Passive Mode (1,2,3,4,5,6)",
        "PASS s3cret",
    ]);
    prop::collection::vec(bits, 1..12).prop_map(|bits| bits.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_crossed_is_text_in_every_form(banner in hostile(), file in hostile()) {
        let story = story(&banner, &file);
        let shown = text(&story, 100, false);
        prop_assert!(shown.chars().all(|character| character == '\n' || !character.is_control()), "{shown:?}");
        prop_assert!(!shown.contains('\u{202e}'), "nothing is shown in another direction: {shown:?}");

        let page = html(&story).unwrap();
        for (element, count) in [("<script", 1), ("</script", 1), ("<img", 0), ("</title></head>", 0), ("<style", 1)] {
            prop_assert_eq!(page.matches(element).count(), count, "{}", element);
        }
        prop_assert!(page.chars().all(|character| character == '\n' || !character.is_control()));
        // Each drawing is XML of its own.
        for drawing in page.split("<svg ").skip(1) {
            let drawing = format!("<svg {}", drawing.split_once("</svg>").unwrap().0);
            let mut reader = quick_xml::Reader::from_str(&drawing);
            reader.config_mut().check_end_names = true;
            loop {
                match reader.read_event() {
                    Ok(quick_xml::events::Event::Eof) => break,
                    Ok(_) => {}
                    Err(error) => prop_assert!(false, "{error}: {drawing}"),
                }
            }
        }

        let document = markdown(&story);
        let (_, rest) = document.split_once("```mermaid\n").unwrap();
        let (diagram, _) = rest.split_once("\n```\n").unwrap();
        for line in diagram.lines().skip(1) {
            let line = line.trim_start();
            let is_statement = ["participant s", "Note over s", "s"].iter().any(|begin| line.starts_with(begin));
            prop_assert!(is_statement, "{line}");
            let plain = line.replace("<br/>", "").replace("->>", "");
            prop_assert!(!plain.contains(['<', '>', '`', '"', '%']), "{line}");
        }
    }
}

#[test]
fn a_password_is_in_no_form() {
    // The built-in client's.
    let story = story("hello", "readme.txt");
    let json = serde_json::to_string(&story).unwrap();
    let page = html(&story).unwrap();
    for (form, secret) in [
        (text(&story, 100, false), "guest@"),
        (markdown(&story), "guest@"),
        (page.clone(), "guest@"),
        (page.replace("<mark>", "").replace("</mark>", ""), "67 75 65 73 74"),
        (json.clone(), "guest@"),
        (json, "6775657374"),
    ] {
        assert!(!form.contains(secret), "{secret}: {form}");
        assert!(form.contains("PASS"), "{form}");
    }
}
