//! What is found from accounts of the ends alone, and what is not.

use std::net::SocketAddrV4;

use super::super::*;
use crate::session::{Account, DataAttempt, Dialogue, End, Fate, Line, Speaker};

fn end(text: &str) -> SocketAddrV4 {
    text.parse().unwrap()
}

/// An account of a session between these ends; commands are written `> …`, replies `< …`.
fn account(client: Option<&str>, server: Option<&str>, lines: &[&str]) -> Account {
    let line = |line: &&str| {
        let (by, text) = line.split_once(' ').unwrap();
        Line::new(None, if by == ">" { Speaker::Client } else { Speaker::Server }, text)
    };
    let known = |text: Option<&str>| text.map_or_else(End::default, |text| end(text).into());
    let login = ["< 220 Hello", "> USER me", "< 331 More", "> PASS secret", "< 230 In"];
    let lines = login.iter().chain(lines).map(line).collect();
    Account {
        client: known(client),
        server: known(server),
        established: Some(true),
        dialogue: Dialogue { lines },
        data: Vec::new(),
    }
}

fn attempt(by: Speaker, to: &str, fate: Fate) -> DataAttempt {
    DataAttempt {
        at: None,
        dialled_by: Some(by),
        from: None,
        to: Some(end(to)),
        fate,
        carried: None,
        ended: None,
    }
}

fn from_client(account: &Account) -> Finding {
    find(&Evidence { at_client: Some(account), ..Evidence::default() })
}

const SERVER: Option<&str> = Some("198.51.100.9:2121");
const PORT: &str = "> PORT 192,168,1,100,65,43";

#[test]
fn a_clients_log_shows_an_address_of_its_lan_that_was_refused() {
    let cause = |lines: &[&str]| from_client(&account(None, SERVER, lines)).cause();
    assert_eq!(cause(&[PORT, "< 500 Illegal PORT command."]), Some(Cause::LanAddressInPort));
    let told = [PORT, "< 200 Taken", "> LIST", "< 425 Cannot open data connection."];
    assert_eq!(cause(&told), Some(Cause::LanAddressInPort));
    let encrypted = ["> AUTH TLS", "< 234 Go on", PORT, "< 500 Illegal PORT command."];
    assert_eq!(cause(&encrypted), Some(Cause::ControlEncrypted));
    let found = from_client(&account(None, SERVER, &[PORT, "< 500 Illegal PORT command."]));
    let details = &found.found().unwrap().details;
    assert_eq!((details.control_port, details.reply), (Some(2121), Some(500)));
    assert_eq!(details.announced, Some(end("192.168.1.100:16683")));
}

#[test]
fn in_one_network_a_private_address_is_no_leak() {
    let server = Some("192.168.1.9:21");
    let told = account(None, server, &[PORT, "< 200 Taken", "> LIST", "< 425 Cannot open data connection."]);
    let Finding::Undecided { wanted } = from_client(&told) else { panic!("guessed") };
    assert_eq!(wanted, [Wanted::ServerSide, Wanted::DataConnection, Wanted::RouterSide]);
    let unknown = account(None, None, &[PORT, "< 500 Illegal PORT command."]);
    assert_eq!(from_client(&unknown).cause(), None, "nobody says where the server is");
}

#[test]
fn a_227_with_an_address_of_the_servers_lan_is_at_fault_only_where_it_was_dialled_in_vain() {
    let lines = ["> PASV", "< 227 Entering Passive Mode (192,168,1,100,158,26)."];
    let mut told = account(Some("198.51.100.50:40000"), Some("203.0.113.7:21"), &lines);
    told.data = vec![attempt(Speaker::Client, "192.168.1.100:40474", Fate::NoAnswer)];
    let found = from_client(&told);
    assert_eq!(found.cause(), Some(Cause::LanAddressInPassiveReply));
    assert_eq!(found.found().unwrap().details.known_as, Some([203, 0, 113, 7].into()));
    told.data = vec![attempt(Speaker::Client, "203.0.113.7:40474", Fate::Opened)];
    told.dialogue.lines.push(Line::new(None, Speaker::Client, "LIST"));
    told.dialogue.lines.push(Line::new(None, Speaker::Server, "226 Done"));
    assert_eq!(from_client(&told), Finding::NoFailure);
}

/// The announcement is as it should be; what became of the server's SYN only the router or both captures tell.
#[test]
fn a_port_that_was_rewritten_needs_both_ends_to_tell_more() {
    let lines = ["> PORT 203,0,113,7,65,43", "< 200 Taken", "> LIST", "< 425 Cannot open data connection."];
    let mut at_server = account(Some("203.0.113.7:55200"), Some("198.51.100.9:21"), &lines);
    at_server.data = vec![attempt(Speaker::Server, "203.0.113.7:16683", Fate::NoAnswer)];
    let alone = find(&Evidence { at_server: Some(&at_server), ..Evidence::default() });
    assert_eq!(alone.cause(), None, "a router, a firewall, a loss?");
    let sent = [PORT, lines[1], lines[2], lines[3]];
    let at_client = account(Some("192.168.1.100:55200"), Some("198.51.100.9:21"), &sent);
    let evidence =
        Evidence { at_client: Some(&at_client), at_server: Some(&at_server), ..Evidence::default() };
    assert_eq!(find(&evidence).cause(), Some(Cause::DataPortNotForwarded));
}

#[test]
fn replies_that_have_nothing_to_do_with_the_network_are_told_from_those_that_have() {
    let cause = |lines: &[&str]| from_client(&account(None, SERVER, lines)).cause();
    let passive = ["> PASV", "< 227 Entering Passive Mode (198,51,100,9,158,26)."];
    let with = |behind: [&'static str; 2]| [passive, behind].concat();
    assert_eq!(cause(&with(["> RETR missing", "< 550 No such file."])), Some(Cause::FileRefused));
    assert_eq!(cause(&["> EPSV", "< 500 What?"]), Some(Cause::CommandNotKnown));
    assert_eq!(from_client(&account(None, SERVER, &with(["> LIST", "< 226 Done"]))), Finding::NoFailure);
    let mut refused = account(None, SERVER, &[]);
    refused.dialogue.lines.pop();
    refused.dialogue.lines.push(Line::new(None, Speaker::Server, "530 No."));
    assert_eq!(from_client(&refused).cause(), Some(Cause::LoginRefused));
    let nothing = find(&Evidence::default());
    let Finding::Undecided { wanted } = nothing else { panic!("{nothing:?}") };
    assert_eq!(wanted[0], Wanted::ControlConnection);
}
