//! Ways to have data connections made: one after the other, ports in turn, commands in pieces, a server that dials late.

use smoltcp::time::{Duration, Instant};

use super::pair::{CLIENT, Pair, Side};
use crate::ftp::DataMode::{Eprt, Epsv, Pasv, Port};
use crate::ftp::Trouble::{NotOpened, Refused};
use crate::ftp::{
    ClientOutcome, ClientPlan, DataMode, Fallback, Segments, ServerConfig, SetupCommand, Transfer,
    TransferFailure, TransferOutcome, Trouble,
};

/// As of curl, told and not told to use PORT.
const RULES: [(DataMode, Trouble, DataMode); 3] =
    [(Epsv, Refused, Pasv), (Epsv, NotOpened, Pasv), (Eprt, Refused, Port)];

fn list() -> Transfer {
    Transfer::List { path: None }
}

fn plan(data_mode: DataMode, rules: &[(DataMode, Trouble, DataMode)], transfers: usize) -> ClientPlan {
    let fallbacks = rules.iter().map(|&(from, on, to)| Fallback { from, on, to }).collect();
    ClientPlan { data_mode, fallbacks, transfers: vec![list(); transfers], ..ClientPlan::default() }
}

fn lacking(lacks: &[SetupCommand]) -> ServerConfig {
    ServerConfig { lacks: lacks.to_vec(), ..ServerConfig::default() }
}

fn modes(outcome: &ClientOutcome, transfer: usize) -> Vec<DataMode> {
    outcome.modes[transfer].iter().map(|tried| tried.mode).collect()
}

/// The verbs that the client sent, between login and QUIT.
fn verbs(pair: &Pair) -> Vec<&str> {
    let sent = pair.sent(Side::Client);
    let verbs = sent.iter().map(|line| line.split(' ').next().unwrap_or_default());
    verbs.filter(|verb| !["USER", "PASS", "TYPE", "QUIT"].contains(verb)).collect()
}

#[test]
fn a_refused_way_is_followed_by_the_next_and_the_session_keeps_to_it() {
    let mut pair = Pair::new(plan(Epsv, &RULES, 2), lacking(&[SetupCommand::Epsv]));
    let outcome = pair.run();
    assert!(matches!(outcome.transfers[..], [TransferOutcome::Received(_), TransferOutcome::Received(_)]));
    assert_eq!(verbs(&pair), ["EPSV", "PASV", "LIST", "PASV", "LIST"]);
    assert_eq!((modes(&outcome, 0), modes(&outcome, 1)), (vec![Epsv, Pasv], vec![Pasv]));
    assert_eq!(outcome.modes[0][0].failure, Some(TransferFailure::SetupRefused { command: "EPSV" }));
    assert_eq!((outcome.carried_by(0), outcome.carried_by(1)), (Some(Pasv), Some(Pasv)));
}

#[test]
fn a_client_has_no_other_way_than_its_rules_say() {
    let mut pair = Pair::new(plan(Epsv, &RULES, 1), lacking(&[SetupCommand::Epsv, SetupCommand::Pasv]));
    let outcome = pair.run();
    assert_eq!(verbs(&pair), ["EPSV", "PASV"]);
    assert!(matches!(&outcome.transfers[0], TransferOutcome::Failed {
        what: TransferFailure::SetupRefused { command: "PASV" }, reply: Some(reply),
    } if reply.code == 502));
    assert_eq!(outcome.carried_by(0), None);
}

#[test]
fn a_data_connection_that_is_not_opened_is_no_refusal() {
    let other_way = |rules: &[_]| {
        let mut pair = Pair::new(plan(Epsv, rules, 1), ServerConfig::default());
        pair.black_holes.insert([198, 51, 100, 9].into());
        modes(&pair.run(), 0)
    };
    assert_eq!(other_way(&[(Epsv, Refused, Port)]), [Epsv]);
    assert_eq!(other_way(&[(Epsv, Refused, Pasv), (Epsv, NotOpened, Port)]), [Epsv, Port]);
}

#[test]
fn a_425_is_a_data_connection_not_opened() {
    let announce = Some([10, 0, 0, 1].into());
    let config = ServerConfig { foreign_port: crate::ftp::ForeignAddress::Accept, ..ServerConfig::default() };
    let plan = ClientPlan { announce, ..plan(Port, &[(Port, NotOpened, Pasv)], 1) };
    let mut pair = Pair::new(plan, config);
    let outcome = pair.run();
    assert_eq!(verbs(&pair), ["PORT", "LIST", "PASV", "LIST"]);
    assert_eq!(outcome.carried_by(0), Some(Pasv));
}

#[test]
fn a_client_can_try_passive_mode_more_than_once_before_it_turns() {
    let plan = ClientPlan { passive_tries: 3, ..plan(Pasv, &[(Pasv, NotOpened, Port)], 1) };
    let mut pair = Pair::new(plan, ServerConfig::default());
    pair.black_holes.insert([198, 51, 100, 9].into());
    assert_eq!(modes(&pair.run(), 0), [Pasv, Pasv, Pasv, Port]);
}

#[test]
fn rules_in_a_circle_come_to_an_end() {
    let rules = [(Port, Refused, Pasv), (Pasv, Refused, Port)];
    let mut pair = Pair::new(plan(Port, &rules, 1), lacking(&[SetupCommand::Port, SetupCommand::Pasv]));
    assert_eq!(modes(&pair.run(), 0), [Port, Pasv]);
}

#[test]
fn a_client_listens_on_the_ports_of_its_range_in_turn() {
    let plan = || ClientPlan { data_ports: Some(50_000..=50_002), ..plan(Port, &[], 1) };
    let mut pair = Pair::new(plan(), ServerConfig::default());
    pair.taken_by_client.extend([50_000, 50_001]);
    assert!(matches!(pair.run().transfers[0], TransferOutcome::Received(_)));
    assert!(pair.sent(Side::Client).contains(&"PORT 192,168,1,100,195,82"));
    assert_eq!(pair.dialled[0].1, std::net::SocketAddrV4::new(*CLIENT.ip(), 50_002));

    let mut pair = Pair::new(plan(), ServerConfig::default());
    pair.taken_by_client.extend([50_000, 50_001, 50_002]);
    let failed = TransferOutcome::Failed { what: TransferFailure::NotListening, reply: None };
    assert_eq!(pair.run().transfers, [failed]);
}

#[test]
fn a_client_can_write_its_commands_in_pieces() {
    for (segments, pieces) in [(Segments::Each(1), 26), (Segments::First(vec![3]), 2), (Segments::Whole, 0)] {
        let mut pair = Pair::new(ClientPlan { segments, ..plan(Port, &[], 1) }, ServerConfig::default());
        assert!(matches!(pair.run().transfers[0], TransferOutcome::Received(_)));
        assert_eq!(pair.pieces_of("PORT 192,168,1,100,65,43\r\n"), pieces);
    }
}

#[test]
fn a_server_can_dial_late() {
    let data_delay = Duration::from_secs(90);
    let config = ServerConfig { data_delay, ..ServerConfig::default() };
    let reply_timeout = Duration::from_secs(300);
    let plan = ClientPlan { reply_timeout, data_timeout: reply_timeout, ..plan(Port, &[], 1) };
    let mut pair = Pair::new(plan, config);
    assert!(matches!(pair.run().transfers[0], TransferOutcome::Received(_)));
    assert!(pair.now > Instant::from_secs(90) && pair.now < Instant::from_secs(91));
}
