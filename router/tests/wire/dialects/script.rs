//! The tables' language.

/// One case of a table.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) title: String,
    /// In their order, each with the line it is from.
    pub(super) acts: Vec<(Act, String)>,
}

/// What happens, or what is to be seen of it.
#[derive(Debug, PartialEq)]
pub(super) enum Act {
    /// The control connection is to this port; before anything is said.
    OnPort(u16),
    /// The client is at this address; before anything is said.
    ClientAt(String),
    /// Nothing was said before; the first thing.
    BeforeLogin,
    /// The login was completed; the first thing.
    LoggedIn,
    /// The server is on the LAN and the client outside; the first thing.
    ServerBehind,
    /// A host of the LAN holds an external port by a connection to some server.
    Taken { host: String, port: u16, towards: String },
    /// The client sends a segment.
    Client(String),
    /// The server sends a segment.
    Server(String),
    /// The segment that was sent last is sent again, with more behind it where this says so.
    Again(Option<String>),
    /// The client ends the control connection by a RST.
    ClientResets,
    /// What leaves on the other side.
    Leaves(Leaves),
    /// A forward is opened.
    Forward(String),
    /// A forward lives longer.
    Refresh(String),
    /// The outside end acknowledges so many octets behind the login, as it counts; the inside end hears of so many.
    Acknowledged { heard: u32, told: u32 },
    /// A data connection from outside, to a port or to the newest forward's.
    Data { from: String, port: Option<u16>, reaches: Option<String> },
    /// Time passes, in seconds.
    Wait(u32),
    /// How far the inside end's numbers have moved by the case's end.
    Shift(i32),
    /// They have moved by as much as what left differs in length from what was said.
    ShiftByText,
}

/// What becomes of a segment.
#[derive(Debug, PartialEq)]
pub(super) enum Leaves {
    /// It carries this text, in which `<32768-65535>` stands for a port of that range, as one number or as two.
    Text(String),
    Unchanged,
    Dropped,
    /// Nothing leaves, and the sender goes on: the router keeps it.
    Held,
    SessionEnds,
}

/// The cases of a table's text.
pub(super) fn cases(table: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix("  ") {
            None => cases.push(Case { title: line.to_owned(), acts: Vec::new() }),
            Some(act) => {
                let case = cases.last_mut().expect("a case begins at the margin");
                case.acts.push((act_of(act), act.to_owned()));
            }
        }
    }
    assert!(!cases.is_empty(), "a table has cases");
    cases
}

fn act_of(line: &str) -> Act {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim_start();
    let act = match (verb, words(rest).as_slice()) {
        ("on", ["port", port]) => port.parse().ok().map(Act::OnPort),
        ("client", ["at", address]) => Some(Act::ClientAt((*address).to_owned())),
        ("client", ["resets"]) => Some(Act::ClientResets),
        ("before", ["login"]) => Some(Act::BeforeLogin),
        ("logged", ["in"]) => Some(Act::LoggedIn),
        ("server", ["behind"]) => Some(Act::ServerBehind),
        ("again", []) => Some(Act::Again(None)),
        ("again", _) => Some(Act::Again(Some(unescaped(rest)))),
        ("client", _) => Some(Act::Client(unescaped(rest))),
        ("server", _) => Some(Act::Server(unescaped(rest))),
        ("leaves", ["as", "it", "is"]) => Some(Act::Leaves(Leaves::Unchanged)),
        ("leaves", _) => Some(Act::Leaves(Leaves::Text(unescaped(rest)))),
        ("dropped", []) => Some(Act::Leaves(Leaves::Dropped)),
        ("held", []) => Some(Act::Leaves(Leaves::Held)),
        ("session", ["ends"]) => Some(Act::Leaves(Leaves::SessionEnds)),
        ("forward", _) => Some(Act::Forward(rest.to_owned())),
        ("refresh", _) => Some(Act::Refresh(rest.to_owned())),
        ("taken", [port, "by", host, "towards", server]) => port.parse().ok().map(|port| Act::Taken {
            host: (*host).to_owned(),
            port,
            towards: (*server).to_owned(),
        }),
        ("acknowledged", [heard, "as", told]) => {
            heard.parse().ok().zip(told.parse().ok()).map(|(heard, told)| Act::Acknowledged { heard, told })
        }
        ("data", ["from", from, "to", "the", "forward", outcome @ ..]) => data(from, None, outcome),
        ("data", ["from", from, "to", port, outcome @ ..]) => {
            port.parse().ok().and_then(|port| data(from, Some(port), outcome))
        }
        ("wait", [seconds, "s"]) => seconds.parse().ok().map(Act::Wait),
        ("shift", ["by", "the", "text"]) => Some(Act::ShiftByText),
        ("shift", [octets]) => octets.parse().ok().map(Act::Shift),
        _ => None,
    };
    act.unwrap_or_else(|| panic!("no act of a table: `{line}`"))
}

fn data(from: &str, port: Option<u16>, outcome: &[&str]) -> Option<Act> {
    let reaches = match outcome {
        ["reaches", host] => Some((*host).to_owned()),
        ["refused"] => None,
        _ => return None,
    };
    Some(Act::Data { from: from.to_owned(), port, reaches })
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn unescaped(text: &str) -> String {
    text.replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0")
}

/// Whether a text fits a pattern with port ranges in it.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let Some((before, after)) = pattern.split_once('<') else { return pattern == text };
    let (range, after) = after.split_once('>').expect("a range ends with `>`");
    let (first, last) = range.split_once('-').expect("a range has two ends");
    let (first, last): (u32, u32) = (first.parse().unwrap(), last.parse().unwrap());
    let Some(rest) = text.strip_prefix(before) else { return false };
    // Whatever of digits and commas there is, of which the pattern's rest must find its own.
    (0..=rest.len()).filter(|end| rest.is_char_boundary(*end)).any(|end| {
        let (number, rest) = rest.split_at(end);
        port(number).is_some_and(|port| (first..=last).contains(&port)) && fits(after, rest)
    })
}

fn port(text: &str) -> Option<u32> {
    match text.split_once(',') {
        None => text.parse().ok(),
        Some((high, low)) => {
            Some(high.parse::<u8>().map(u32::from).ok()? * 256 + u32::from(low.parse::<u8>().ok()?))
        }
    }
}
