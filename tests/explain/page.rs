//! The page, and what a real browser makes of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::deadline::Deadline;
use super::support::process::{Process, command};
use super::support::requirement::{Requirement, SYSTEM_PYTHON, find_program, met};
use super::support::scratch::Scratch;
use super::{explained, quirknat};

/// A name that would do harm as markup.
const HOSTILE: &str = "</script></title><img src=x onerror=window.hit=1>";

/// What a browser sees of a page, whose arrow that has `text` in its title is chosen.
fn look(scratch: &Scratch, page: &str, text: &str) -> Value {
    let file = scratch.write("page.html", page);
    let driver = find_program("chromedriver").unwrap();
    let mut browser = command("env");
    browser
        .arg(SYSTEM_PYTHON)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/support/look_at_page.py"))
        .args([file.to_str().unwrap(), text, driver.to_str().unwrap()])
        .env("HOME", scratch.path());
    let ended = Process::start("the browser", browser).finish(Deadline::after(Duration::from_mins(2)));
    assert_eq!(ended.code(), Some(0), "{}", ended.story());
    serde_json::from_slice(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.story()))
}

/// What holds of any page.
fn sound(seen: &Value, page: &str) {
    assert_eq!(seen["console"], json!([]), "nothing to complain about");
    let requests = seen["requests"].as_array().unwrap();
    let others: Vec<&Value> = requests
        .iter()
        .filter(|url| {
            !url.as_str().is_some_and(|url| url.starts_with("file:///") && url.ends_with("/page.html"))
        })
        .filter(|url| *url != "about:blank" && *url != "data:,")
        .collect();
    assert!(others.is_empty(), "the page asks for nothing: {others:?}");
    assert_eq!(
        seen["crowded"],
        json!({"wide": [], "narrow": []}),
        "no text over another or out of its drawing"
    );
    assert_eq!(
        seen["overflow"],
        json!([0, 0]),
        "a telephone of 360 pixels shows all of it, with a packet open too"
    );
    assert_eq!(seen["narrow"], json!(true), "a telephone has the narrow drawings");
    assert!(seen["smallest"].as_f64().unwrap() >= 11.0, "{}", seen["smallest"]);
    assert_eq!(page.matches("<script").count(), 1);
}

#[test]
fn a_browser_shows_each_packets_bytes_on_demand() {
    if !met(&[Requirement::Browser]) {
        return;
    }
    let scratch = Scratch::new();
    let page = explained(&["port-21-rewritten", "--format", "html"]);
    let seen = look(&scratch, &page, "PORT 192,168,1,100");
    sound(&seen, &page);
    let clicked = seen["clicked"].as_str().unwrap();
    // PORT's copy on the LAN and that on the WAN: total length, source, checksum and the announced address differ.
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    let (lan, wan) = (hex("192,168,1,100"), hex("203,0,113,7"));
    let marked = [&seen["marked"][0], &seen["marked"][1]].map(|marked| marked.as_str().unwrap());
    assert!(marked[0].starts_with("00 42 c0 a8 01 64 ") && marked[0].ends_with(&lan), "{marked:?}");
    assert!(marked[1].starts_with("00 40 cb 00 71 07 ") && marked[1].ends_with(&wan), "{marked:?}");
    let dump = seen["dump"][0].as_str().unwrap();
    assert!(dump.contains("0028  50 4f 52 54 20 31 39 32  PORT 192\n"), "{dump}");
    assert!(seen["fields"].as_u64().unwrap() >= 19);

    // By keyboard: on, back, away, and in again where the focus was left.
    let number: usize = clicked.strip_prefix("p1-").unwrap().parse().unwrap();
    assert_eq!((&seen["right"], &seen["left"]), (&json!(format!("p1-{}", number + 1)), &json!(clicked)));
    assert_eq!((&seen["escaped"], &seen["focus"]), (&Value::Null, &json!(format!("#{clicked}"))));
    assert_eq!((&seen["entered"], &seen["touched"]), (&json!(clicked), &json!(clicked)));
    assert_eq!(
        (&seen["without-script"], &seen["without-script-shown"]),
        (&json!(clicked), &json!(true)),
        "a script is not needed"
    );

    assert_ne!(seen["dark"], seen["light"]);
    assert_eq!(seen["print-paper"], "rgb(255, 255, 255)", "paper is white, whatever the screen was");
    assert!(seen["print-of-note"].as_u64().unwrap() >= 3, "packets of note are printed");
    assert_eq!((&seen["print-others"], &seen["pdf"]), (&json!(0), &json!("%PDF-")));
}

#[test]
fn drawings_of_long_ways_have_room_for_all_they_say() {
    if !met(&[Requirement::Browser]) {
        return;
    }
    let scratch = Scratch::new();
    for (scenario, text) in
        [("both-21-port", "PORT 192"), ("carrier-grade-nat", "PORT 192"), ("router-restart", "PASV")]
    {
        let page = explained(&[scenario, "--format", "html"]);
        sound(&look(&scratch, &page, text), &page);
    }
}

#[test]
fn what_a_wire_says_is_text_and_nothing_else() {
    let scratch = Scratch::new();
    let scenario = include_str!("../../scenarios/port-21-rewritten.toml")
        .replacen("title = \"", &format!("title = \"{HOSTILE}"), 1)
        .replacen("{ port = 21 }", &format!("{{ port = 21, banner = \"{HOSTILE}\" }}"), 1)
        .replace("name = \"upload.bin\"", &format!("name = \"{HOSTILE}\""));
    let file = scratch.write("hostile.toml", &scenario);
    // The server has no folder for such a name, so that not all is as expected, which is told as well.
    let output = quirknat(&["explain", file.to_str().unwrap(), "--format", "html"]);
    assert_eq!(output.status.code(), Some(1));
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(!page.contains("<img") && page.contains("onerror"), "it is there, and no markup");
    if !met(&[Requirement::Browser]) {
        return;
    }
    let seen = look(&scratch, &page, "220 ");
    sound(&seen, &page);
    assert!(seen["heading"].as_str().unwrap().starts_with(HOSTILE));
    assert_eq!(seen["hit"], json!(false));
    let elements = seen["elements"].as_array().unwrap();
    assert!(!elements.contains(&json!("img")), "{elements:?}");
}
