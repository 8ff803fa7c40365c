//! Whole sessions: a client by its plan, a server by its configuration.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use smoltcp::time::{Duration, Instant};

use super::pair::{CLIENT, Pair, SERVER, Side};
use crate::ftp::{
    ClientPlan, ControlFailure, DataMode, DataSource, DataType, Failure, ForeignAddress, Reply, ServerConfig,
    SetupCommand, Transfer, TransferFailure, TransferOutcome, Trust,
};

const PORT: DataMode = DataMode::Port;
const ALL_MODES: [DataMode; 5] = [PORT, DataMode::Pasv, DataMode::Eprt, DataMode::Epsv, DataMode::NoCommand];
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

fn get(name: &str) -> Transfer {
    Transfer::Get { name: name.to_owned() }
}

fn put(name: &str, bytes: &[u8]) -> Transfer {
    Transfer::Put { name: name.to_owned(), bytes: bytes.to_vec() }
}

fn list() -> Transfer {
    Transfer::List { path: None }
}

fn plan(data_mode: DataMode, transfers: &[Transfer]) -> ClientPlan {
    ClientPlan { data_mode, transfers: transfers.to_vec(), ..ClientPlan::default() }
}

fn announcing_elsewhere(transfers: &[Transfer]) -> ClientPlan {
    ClientPlan { announce: Some(ELSEWHERE), ..plan(PORT, transfers) }
}

fn pair(data_mode: DataMode, transfers: &[Transfer]) -> Pair {
    let pair = Pair::new(plan(data_mode, transfers), ServerConfig::default());
    pair.files.put("readme.txt", *b"Hello\nWorld\n");
    pair
}

fn received(bytes: &[u8]) -> TransferOutcome {
    TransferOutcome::Received(bytes.to_vec())
}

fn failed(what: TransferFailure, code: u16, text: &str) -> TransferOutcome {
    TransferOutcome::Failed { what, reply: Some(Reply::new(code, text)) }
}

#[test]
fn every_mode_lists_gets_and_puts() {
    for mode in ALL_MODES {
        let mut pair =
            pair(mode, &[list(), get("readme.txt"), put("new", b"stored"), put("empty", b""), get("empty")]);
        let outcome = pair.run();
        assert_eq!(outcome.control, Ok(()), "{mode:?}");
        let listing = b"-rw-r--r--    1 ftp      ftp            12 Jan 01  2001 readme.txt\r\n";
        let [stored, nothing] = [6, 0].map(|bytes| TransferOutcome::Sent { bytes });
        let expected = [received(listing), received(b"Hello\nWorld\n"), stored, nothing, received(b"")];
        assert_eq!(outcome.transfers, expected, "{mode:?}");
        assert_eq!(pair.files.get("new").as_deref(), Some(&b"stored"[..]), "{mode:?}");
        assert!(pair.now < Instant::from_secs(5), "{mode:?} took until {}", pair.now);
    }
}

#[test]
fn control_bytes_one_by_one_make_the_same_session() {
    for mode in ALL_MODES {
        let config = ServerConfig { banner: "Welcome\nto the\nserver".to_owned(), ..ServerConfig::default() };
        let mut pair = Pair::new(plan(mode, &[put("a", b"1"), get("a"), list()]), config);
        pair.piece = 1;
        let outcome = pair.run();
        assert_eq!(outcome.control, Ok(()), "{mode:?}");
        assert_eq!(outcome.transfers[1], received(b"1"), "{mode:?}");
    }
}

#[test]
fn in_port_mode_the_server_dials_from_the_port_below_its_control_port() {
    let mut pair = pair(PORT, &[get("readme.txt")]);
    pair.run();
    assert!(pair.sent(Side::Client).contains(&"PORT 192,168,1,100,65,43"));
    assert_eq!(pair.dialled, [("198.51.100.9:20".parse().unwrap(), "192.168.1.100:16683".parse().unwrap())]);
}

#[test]
fn in_passive_mode_the_client_dials_the_announced_port() {
    let mut pair = pair(DataMode::Pasv, &[get("readme.txt")]);
    pair.run();
    assert!(pair.received(Side::Client).contains(&"227 Entering Passive Mode (198,51,100,9,158,26)."));
    assert_eq!(pair.dialled[0].1, "198.51.100.9:40474".parse().unwrap());
}

#[test]
fn without_a_command_the_server_dials_the_clients_control_port_from_port_20() {
    let mut pair = pair(DataMode::NoCommand, &[get("readme.txt")]);
    pair.run();
    assert_eq!(pair.sent(Side::Client), ["USER anonymous", "PASS ****", "TYPE I", "RETR readme.txt", "QUIT"]);
    assert_eq!(pair.dialled, [("198.51.100.9:20".parse().unwrap(), CLIENT)]);
}

#[test]
fn a_server_without_low_ports_dials_from_any() {
    let config = ServerConfig { data_source: DataSource::Any, ..ServerConfig::default() };
    let mut pair = Pair::new(plan(PORT, &[list()]), config);
    assert_eq!(pair.run().transfers, [received(b"")]);
    assert_eq!(pair.dialled[0].0.port(), 50_000);
}

#[test]
fn a_foreign_port_is_refused_and_the_session_ends_in_order() {
    let mut pair = Pair::new(announcing_elsewhere(&[get("readme.txt")]), ServerConfig::default());
    let outcome = pair.run();
    assert_eq!(outcome.control, Ok(()));
    let what = TransferFailure::SetupRefused { command: "PORT" };
    assert_eq!(outcome.transfers, [failed(what, 500, "Illegal PORT command.")]);
    assert_eq!(pair.received(Side::Client).last(), Some(&"221 Goodbye."));
    assert!(pair.dialled.is_empty());
}

#[test]
fn a_foreign_port_accepted_ends_in_425_after_the_servers_timeout() {
    let config = ServerConfig { foreign_port: ForeignAddress::Accept, ..ServerConfig::default() };
    let mut pair = Pair::new(announcing_elsewhere(&[list()]), config);
    pair.black_holes.insert(ELSEWHERE);
    let outcome = pair.run();
    assert_eq!(outcome.control, Ok(()));
    let what = TransferFailure::NotOpenedByServer;
    assert_eq!(outcome.transfers, [failed(what, 425, "Failed to establish connection.")]);
    assert!(pair.now >= Instant::from_secs(60) && pair.now < Instant::from_secs(61));
    assert_eq!(pair.received(Side::Client).last(), Some(&"221 Goodbye."));
}

#[test]
fn a_refused_data_connection_is_a_425_at_once() {
    let config = ServerConfig { foreign_port: ForeignAddress::Accept, ..ServerConfig::default() };
    let mut pair = Pair::new(announcing_elsewhere(&[list()]), config);
    let outcome = pair.run();
    assert!(matches!(
        &outcome.transfers[0],
        TransferOutcome::Failed { what: TransferFailure::NotOpenedByServer, .. }
    ));
    assert!(pair.now < Instant::from_secs(1));
}

#[test]
fn a_server_more_patient_than_the_client_leaves_it_with_its_own_verdict() {
    let data_timeout = Duration::from_secs(600);
    let config =
        ServerConfig { foreign_port: ForeignAddress::Accept, data_timeout, ..ServerConfig::default() };
    let mut pair = Pair::new(announcing_elsewhere(&[list(), list()]), config);
    pair.black_holes.insert(ELSEWHERE);
    let outcome = pair.run();
    let what = TransferFailure::NotOpened(Failure::TimedOut);
    let not_attempted = TransferOutcome::Failed { what: TransferFailure::NotAttempted, reply: None };
    assert_eq!(outcome.transfers, [TransferOutcome::Failed { what, reply: None }, not_attempted]);
    assert_eq!(outcome.control, Err(ControlFailure::NoReply { to: "QUIT".to_owned() }));
}

#[test]
fn an_unreachable_passive_address_fails_the_transfer_and_not_the_session() {
    let config = ServerConfig { passive_address: Some(ELSEWHERE), ..ServerConfig::default() };
    let mut pair = Pair::new(plan(DataMode::Pasv, &[list(), list()]), config);
    pair.black_holes.insert(ELSEWHERE);
    let outcome = pair.run();
    assert_eq!(outcome.control, Ok(()));
    let what = TransferFailure::NotOpened(Failure::TimedOut);
    let not_opened = TransferOutcome::Failed { what, reply: None };
    assert_eq!(outcome.transfers, [not_opened.clone(), not_opened]);
    assert_eq!(pair.sent(Side::Client)[3..], ["PASV", "PASV", "QUIT"]);
}

#[test]
fn a_client_that_distrusts_the_227_dials_the_server_itself() {
    let config = ServerConfig { passive_address: Some(ELSEWHERE), ..ServerConfig::default() };
    let plan = ClientPlan { trust_passive_address: Trust::Never, ..plan(DataMode::Pasv, &[list()]) };
    let mut pair = Pair::new(plan, config);
    assert_eq!(pair.run().transfers, [received(b"")]);
    assert_eq!(pair.dialled[0].1.ip(), SERVER.ip());
}

#[test]
fn passive_ports_are_taken_from_the_range_in_turn_past_those_in_use() {
    let config = ServerConfig { passive_ports: Some(5000..=5002), ..ServerConfig::default() };
    let mut pair = Pair::new(plan(DataMode::Pasv, &[list(), list(), list()]), config);
    pair.taken.insert(5001);
    assert_eq!(pair.run().control, Ok(()));
    assert_eq!(pair.dialled.iter().map(|(_, to)| to.port()).collect::<Vec<_>>(), [5000, 5002, 5000]);
}

#[test]
fn a_full_passive_range_is_a_425() {
    let config = ServerConfig { passive_ports: Some(5000..=5001), ..ServerConfig::default() };
    let mut pair = Pair::new(plan(DataMode::Pasv, &[list()]), config);
    pair.taken.extend([5000, 5001]);
    let what = TransferFailure::SetupRefused { command: "PASV" };
    assert_eq!(pair.run().transfers, [failed(what, 425, "Failed to listen on a passive port.")]);
}

#[test]
fn an_old_server_does_not_know_the_extended_commands() {
    let config =
        ServerConfig { lacks: vec![SetupCommand::Eprt, SetupCommand::Epsv], ..ServerConfig::default() };
    let mut pair = Pair::new(plan(DataMode::Epsv, &[list()]), config);
    let what = TransferFailure::SetupRefused { command: "EPSV" };
    assert_eq!(pair.run().transfers, [failed(what, 502, "Command not implemented.")]);
}

#[test]
fn a_wrong_password_fails_the_session_and_nothing_is_attempted() {
    let users = BTreeMap::from([("alice".to_owned(), "right".to_owned())]);
    let config = ServerConfig { users, ..ServerConfig::default() };
    let login = |password: &str| ClientPlan {
        user: "alice".to_owned(),
        password: password.to_owned(),
        ..plan(PORT, &[list()])
    };
    assert_eq!(Pair::new(login("right"), config.clone()).run().control, Ok(()));
    let mut pair = Pair::new(login("wrong"), config);
    let outcome = pair.run();
    let reply = Reply::new(530, "Login incorrect.");
    assert_eq!(outcome.control, Err(ControlFailure::Refused { to: "PASS".to_owned(), reply }));
    let not_attempted = TransferOutcome::Failed { what: TransferFailure::NotAttempted, reply: None };
    assert_eq!(outcome.transfers, [not_attempted]);
    assert_eq!(pair.sent(Side::Client), ["USER alice", "PASS ****", "QUIT"]);
}

#[test]
fn a_missing_file_is_a_550_and_the_next_transfer_is_done() {
    for mode in ALL_MODES {
        let outcome = pair(mode, &[get("nothing"), get("readme.txt")]).run();
        assert_eq!(outcome.control, Ok(()), "{mode:?}");
        let missing = failed(TransferFailure::Refused, 550, "Failed to open file.");
        assert_eq!(outcome.transfers, [missing, received(b"Hello\nWorld\n")], "{mode:?}");
    }
}

#[test]
fn a_server_that_never_answers_is_a_timeout() {
    let mut pair = pair(PORT, &[list()]);
    pair.server_is_mute = true;
    let outcome = pair.run();
    assert_eq!(outcome.control, Err(ControlFailure::NoReply { to: "the connection".to_owned() }));
    assert!(pair.now < Instant::from_secs(61));
}

#[test]
fn several_hundred_kilobytes_arrive_byte_for_byte() {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let big: Vec<u8> = (0..400_000).map(|_| next()).collect();
    for data_type in [DataType::Image, DataType::Ascii] {
        for mode in [PORT, DataMode::Pasv] {
            let plan = ClientPlan { data_type, ..plan(mode, &[put("big", &big), get("big")]) };
            let mut pair = Pair::new(plan, ServerConfig::default());
            let outcome = pair.run();
            assert!(outcome.transfers[1] == received(&big), "{data_type:?} {mode:?}");
            assert!(pair.files.get("big").as_ref() == Some(&big), "{data_type:?} {mode:?}");
        }
    }
}

#[test]
fn in_ascii_lines_end_in_crlf_on_the_wire_only() {
    let plan =
        ClientPlan { data_type: DataType::Ascii, ..plan(PORT, &[put("text", b"a\nb\n"), get("text")]) };
    let mut pair = Pair::new(plan, ServerConfig::default());
    assert_eq!(pair.run().transfers, [TransferOutcome::Sent { bytes: 6 }, received(b"a\nb\n")]);
    assert_eq!(pair.files.get("text").as_deref(), Some(&b"a\nb\n"[..]));
}

#[test]
fn the_password_is_in_no_transcript_and_in_no_outcome() {
    let users = BTreeMap::from([("alice".to_owned(), "Hunter2".to_owned())]);
    for password in ["Hunter2", "Hunter2 x", "xHunter2"] {
        let plan = ClientPlan {
            user: "alice".to_owned(),
            password: password.to_owned(),
            ..plan(DataMode::Pasv, &[list()])
        };
        let mut pair = Pair::new(
            plan,
            ServerConfig { users: users.clone(), anonymous: false, ..ServerConfig::default() },
        );
        let outcome = pair.run();
        let logs = format!("{:?} {:?} {outcome:?}", pair.client.transcript(), pair.server.transcript());
        assert!(!logs.contains("Hunter2"), "{logs}");
        assert!(pair.received(Side::Server).contains(&"PASS ****"));
    }
}

#[test]
fn names_with_line_ends_are_not_sent() {
    let outcome = pair(PORT, &[get("a\r\nDELE readme.txt"), get("readme.txt")]).run();
    let unsendable = TransferOutcome::Failed { what: TransferFailure::Unsendable, reply: None };
    assert_eq!(outcome.transfers, [unsendable, received(b"Hello\nWorld\n")]);
}

#[test]
fn the_same_session_twice_is_the_same_to_the_microsecond() {
    let once = || {
        let mut pair = pair(DataMode::Pasv, &[list(), get("readme.txt")]);
        pair.run();
        (pair.client.transcript().to_vec(), pair.server.transcript().to_vec())
    };
    assert_eq!(once(), once());
}
