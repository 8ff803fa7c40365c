//! What attacks come to, for people: a block a router, and the page with all of them.

use std::fmt::Write as _;

use quirknat_router::profile::Profile;

use super::{Hole, Suffered, attacks, suffer};
use crate::scenario::Scenario;

/// A router's block: a line an attack.
pub fn text(profile: &Profile, suffered: &[Suffered]) -> String {
    let mut out = format!("{}\n", profile.name);
    let width = suffered.iter().map(|one| one.attack.len()).max().unwrap_or_default();
    for one in suffered {
        let lines = verdict(one);
        for (place, line) in lines.iter().enumerate() {
            let name = if place == 0 { one.attack } else { "" };
            put(&mut out, format_args!("    {name:width$}  {line}\n"));
        }
    }
    out
}

/// The page docs/attacks.md: what each attack is, and what each built-in router says to it.
pub fn markdown(profiles: &[Profile]) -> String {
    let mut out = String::from(PREAMBLE);
    let all: Vec<(&Profile, Vec<Suffered>)> =
        profiles.iter().map(|profile| (profile, suffer(profile))).collect();
    for entry in attacks() {
        let Ok(scenario) = Scenario::from_toml(entry.name, entry.toml) else { continue };
        put(&mut out, format_args!("\n## {}\n\n{}\n\n", entry.name, scenario.title));
        put(&mut out, format_args!("{}\n\n", scenario.about.as_deref().unwrap_or_default().trim()));
        out.push_str("| what comes of it | on |\n|---|---|\n");
        for (said, names) in alike(&all, entry.name) {
            put(&mut out, format_args!("| {} | {} |\n", said.replace('|', "\\|"), names.join(", ")));
        }
    }
    out
}

/// What came of one attack, each with the routers where it did, in their order.
fn alike(all: &[(&Profile, Vec<Suffered>)], attack: &str) -> Vec<(String, Vec<String>)> {
    let mut alike: Vec<(String, Vec<String>)> = Vec::new();
    for (profile, suffered) in all {
        let lines = suffered.iter().find(|one| one.attack == attack).map(verdict);
        let said = lines.map_or_else(|| "cannot be set up so".to_owned(), |lines| lines.join("<br>"));
        let name = format!("`{}`", profile.name);
        match alike.iter_mut().find(|(other, _)| *other == said) {
            Some((_, names)) => names.push(name),
            None => alike.push((said, vec![name])),
        }
    }
    alike
}

const PREAMBLE: &str = "# Attacks on FTP gateways

What FTP gateways are attacked by, each a built-in scenario (`quirknat run attack-slipstream`), and what comes of it on each
router: which hole opens, where to, for whom, how long if nobody uses it. `quirknat profile attacks NAME|FILE` says the
same of one router. A test holds this page against what the program plays. The attacker knocks at the port that was announced;
where a gateway opens another one, it tells the attacker in the line that it rewrites, and the hole is open all the same.
";

/// What came of one attack, a line for each hole.
fn verdict(one: &Suffered) -> Vec<String> {
    let mut lines: Vec<String> = one.holes.iter().map(|opened| hole(opened, one.is_open())).collect();
    if one.oversize > 0 {
        lines.push(format!("FAULT a packet of {} octets leaves, too large for its link", one.oversize));
    }
    if lines.is_empty() {
        let mut line = "closed".to_owned();
        if !one.left_alone.is_empty() {
            put(&mut line, format_args!(": {}", one.left_alone.join("; ")));
        }
        if let Some(announced) = &one.announced {
            put(&mut line, format_args!("; what leaves is `{}`", shortened(announced)));
        }
        lines.push(line);
    }
    lines
}

fn hole(hole: &Hole, unwanted: bool) -> String {
    let so_long = match hole.open_for_s {
        0 => "until the control connection ends".to_owned(),
        seconds => format!("for {seconds} s"),
    };
    let leads = format!("{} leads to {} for {}, {so_long}", hole.external, hole.target, hole.allowed);
    match (unwanted, hole.got_in) {
        (true, true) => format!("OPEN {leads}; the attacker came in"),
        (true, false) => format!("OPEN {leads}; the attacker did not come in"),
        (false, _) => format!("opens what was asked for: {leads}"),
    }
}

/// A line that fits one; the attacks have longer ones.
fn shortened(line: &str) -> String {
    const MOST: usize = 60;
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("a string takes all");
}
