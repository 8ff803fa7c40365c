//! The cases that an FTP gateway is tried with, by the numbers that the tables of the profiles' gateways
//! (`router/tests/wire/dialects`) have for them, each in several dialects: those that a reading of lines can show.
//!
//! What is decided stands in the order of the segments, `|` between them, and `-` where it is nothing.

use super::*;
use crate::dialect::{
    AfterAuthTls, Argument, EmptyNumbers, ExtendedAddress, ExtendedDelimiter, ExtendedPortZero, ForeignLines,
    LeadingZeros, LetterCase, LineEnd, LongLine, Octets, Range as Numbers, ReplyEnd, ReplyScan, WrongRole,
};
use crate::testing::{SENDER, Talk, dialect};

const P: &str = "PORT 192,168,1,100,195,80\r\n";
const P_AND_LIST: &str = "PORT 192,168,1,100,195,80\r\nLIST\r\n";
const ZERO: &str = "PORT 192,168,1,100,0,0\r\n";
const NOOP_AND_P: &str = "NOOP\r\nPORT 192,168,1,100,195,80\r\n";
const OF_INSIDE: &str = "227 Entering Passive Mode (192,168,1,100,195,80).\r\n";
const OF_OUTSIDE: &str = "227 Entering Passive Mode (198,51,100,9,195,80).\r\n";

enum Said {
    Client(&'static str),
    /// The client's last segment once more, with these octets.
    Again(&'static str),
    Server(&'static str),
}

use Said::{Again, Client, Server};

/// A case: what is said after the login, by whom, who of them is inside, and what is decided by
/// which dialect, that differs from a plain one in the keys named.
macro_rules! cases {
    ($($test:ident: $inside:ident inside, $base:expr, [$($said:expr),* $(,)?] {
        $({ $($key:ident: $value:expr),* $(,)? } => $decided:literal,)*
    })*) => {
        $(#[test]
        fn $test() {
            for (named, dialect, decided) in [$((
                stringify!($($key: $value),*),
                Dialect { $($key: $value,)* ..$base },
                $decided,
            )),*] {
                let talk = Talk::with_inside(dialect, Role::$inside);
                assert_eq!(heard(talk, &[$($said),*]), decided, "where the dialect has {{{named}}}");
            }
        })*
    };
}

mod commands;
mod others;

#[test]
fn case_2_another_control_port() {
    for (control_ports, decided) in
        [(vec![21], "left NotAControlPort"), (vec![21, 2121], "open 50000"), (vec![], "left NotAControlPort")]
    {
        let mut talk = Talk::with_inside(Dialect { control_ports, ..dialect() }, Role::Client);
        talk.server_port = 2121;
        assert_eq!(heard(talk, &[Client(P)]), decided);
    }
}

#[test]
fn case_11_an_octet_a_segment() {
    let octets: Vec<_> = (0..P.len()).map(|at| Client(&P[at..=at])).collect();
    for (cut_keyword, first) in [(CutKeyword::Pass, "-"), (CutKeyword::Malformed, "left Malformed(CutOff)")] {
        let decided = [first].into_iter().chain(std::iter::repeat_n("-", P.len() - 1)).collect::<Vec<_>>();
        let talk = Talk::with_inside(Dialect { cut_keyword, ..dialect() }, Role::Client);
        assert_eq!(heard(talk, &octets), decided.join(" | "), "{cut_keyword:?}");
    }
}

#[test]
fn case_31_a_line_of_500_octets() {
    let digits = format!("PORT {}\r\n", "1".repeat(493));
    let blanks = format!("PORT{}192,168,1,100,195,80\r\n", " ".repeat(474));
    for (octets_read, line, decided) in [
        (0, &digits, LeftAlone::Malformed(SyntaxFault::NumberTooLarge)),
        (128, &digits, LeftAlone::Malformed(SyntaxFault::NumberTooLarge)),
        (128, &blanks, LeftAlone::Malformed(SyntaxFault::CutOff)),
    ] {
        assert_eq!(line.len(), 500);
        let mut talk = Talk::with_inside(Dialect { octets_read, ..dialect() }, Role::Client);
        assert_eq!(crate::testing::reason(talk.say(line)), decided);
    }
}

/// A dialect of all commands.
fn all() -> Dialect {
    Dialect { commands: Command::ALL.to_vec(), ..dialect() }
}

/// What is decided on each segment, after a login.
fn heard(mut talk: Talk, said: &[Said]) -> String {
    talk.log_in();
    let mut last = 0;
    let decided = said.iter().map(|said| {
        let (role, text) = match said {
            Client(text) => (Role::Client, text),
            Server(text) => (Role::Server, text),
            Again(text) => {
                talk.go_back(last);
                (Role::Client, text)
            }
        };
        last = text.len();
        let decisions = talk.send(role, text.as_bytes());
        assert!(decisions.len() <= 1, "{decisions:?}");
        decisions.first().map_or("-".to_owned(), told)
    });
    decided.collect::<Vec<_>>().join(" | ")
}

fn told(decision: &Decision) -> String {
    match decision {
        Decision::LeaveAlone { reason, .. } => format!("left {reason:?}"),
        Decision::Refuse(refused) => format!("dropped {refused:?}"),
        Decision::EndSession(refused) => format!("ended {refused:?}"),
        Decision::Open(opening) if *opening.target.ip() == SENDER => {
            format!("open {}", opening.target.port())
        }
        Decision::Open(opening) => format!("open {}", opening.target),
        Decision::Restate(found) => format!("restated {}", found.endpoint.port()),
        Decision::RewriteOnly(found) => format!("rewritten {}", found.endpoint.port()),
        Decision::Mask(masking) => format!("masked {:?}", masking.span),
    }
}
