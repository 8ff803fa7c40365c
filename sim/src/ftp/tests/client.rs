//! A client against a server whose replies are scripted.

use smoltcp::time::{Duration, Instant};

use super::pair::{CLIENT, SERVER};
use crate::ftp::{
    Action, ClientOutcome, ClientPlan, ClientSession, ControlFailure, DataMode, Failure, HostPortError,
    Input, Machine, Reply, ReplyError, Transfer, TransferFailure, TransferOutcome,
};

/// A client, and what it did.
struct Scripted {
    client: ClientSession,
    now: Instant,
}

impl Scripted {
    fn new(plan: ClientPlan) -> Self {
        let now = Instant::ZERO;
        let mut scripted = Self { client: ClientSession::new(plan, now), now };
        assert!(scripted.sees(Input::ControlOpened { local: CLIENT, remote: SERVER }).is_empty());
        scripted
    }

    /// Logged in, with TYPE answered: the transfer's first action is what comes next.
    fn logged_in(data_mode: DataMode, transfer: Transfer) -> (Self, Vec<String>) {
        Self::planned(plan(data_mode, transfer))
    }

    fn planned(plan: ClientPlan) -> (Self, Vec<String>) {
        let mut client = Self::new(plan);
        assert_eq!(client.hears("220 Hi\r\n"), ["USER anonymous"]);
        assert_eq!(client.hears("331 Password\r\n"), ["PASS guest@"]);
        assert_eq!(client.hears("230 In\r\n"), ["TYPE I"]);
        let next = client.hears("200 Ok\r\n");
        (client, next)
    }

    fn hears(&mut self, text: &str) -> Vec<String> {
        self.sees(Input::ControlBytes(text.as_bytes()))
    }

    fn sees(&mut self, input: Input<'_>) -> Vec<String> {
        self.client.handle(self.now, input);
        self.drained()
    }

    fn waits(&mut self, seconds: u64) -> Vec<String> {
        self.now += Duration::from_secs(seconds);
        self.client.handle_timeout(self.now);
        self.drained()
    }

    /// Commands as they are, anything else by name.
    fn drained(&mut self) -> Vec<String> {
        let show = |action: Action| match action {
            Action::SendControl(bytes) => String::from_utf8(bytes).unwrap().trim_end().to_owned(),
            Action::SendData(bytes) => format!("SendData {}", String::from_utf8(bytes).unwrap()),
            other => format!("{other:?}"),
        };
        std::iter::from_fn(|| self.client.poll_action()).map(show).collect()
    }

    fn data_opened(&mut self) -> Vec<String> {
        self.sees(Input::DataOpened { local: CLIENT, remote: SERVER })
    }

    fn outcome(&self) -> ClientOutcome {
        self.client.outcome().expect("the session is over").clone()
    }

    fn transfer(&mut self) -> TransferOutcome {
        self.hears("221 Bye\r\n");
        self.outcome().transfers.remove(0)
    }
}

fn plan(data_mode: DataMode, transfer: Transfer) -> ClientPlan {
    ClientPlan { data_mode, transfers: vec![transfer], ..ClientPlan::default() }
}

fn get() -> Transfer {
    Transfer::Get { name: "f".to_owned() }
}

fn put() -> Transfer {
    Transfer::Put { name: "f".to_owned(), bytes: b"bytes".to_vec() }
}

fn failed(what: TransferFailure) -> TransferOutcome {
    TransferOutcome::Failed { what, reply: None }
}

/// Up to and including RETR or STOR in passive mode, with the data connection open.
fn running(transfer: Transfer) -> Scripted {
    let (mut client, next) = Scripted::logged_in(DataMode::Pasv, transfer);
    assert_eq!(next, ["PASV"]);
    assert!(
        client.hears("227 Entering Passive Mode (198,51,100,9,158,26).\r\n")[0].starts_with("ConnectData")
    );
    assert_eq!(client.data_opened().len(), 1);
    client
}

#[test]
fn it_listens_before_it_says_so() {
    let announce = Some([203, 0, 113, 7].into());
    let (mut client, next) = Scripted::planned(ClientPlan { announce, ..plan(DataMode::Port, get()) });
    assert_eq!(next, ["ListenData { port: None }"]);
    let port = client.sees(Input::DataListening { local: "0.0.0.0:16683".parse().unwrap() });
    assert_eq!(port, ["PORT 203,0,113,7,65,43"]);
    assert_eq!(client.hears("200 Ok\r\n"), ["RETR f"]);
}

#[test]
fn a_port_that_is_taken_fails_the_transfer() {
    let (mut client, _) = Scripted::logged_in(DataMode::NoCommand, get());
    assert_eq!(client.sees(Input::DataListenFailed), ["QUIT"]);
    assert_eq!(client.transfer(), failed(TransferFailure::NotListening));
}

#[test]
fn a_227_is_understood_with_and_without_parentheses() {
    for reply in ["227 Entering Passive Mode (1,2,3,4,5,6).", "227 Passive 1,2,3,4,5,6", "227 =1,2,3,4,5,6"] {
        let (mut client, _) = Scripted::logged_in(DataMode::Pasv, get());
        let dialled = client.hears(&format!("{reply}\r\n"));
        assert_eq!(dialled, ["ConnectData { from_port: None, to: 1.2.3.4:1286 }"], "{reply}");
    }
}

#[test]
fn a_227_without_an_address_fails_the_transfer() {
    for (text, error) in [("Passive", HostPortError::Malformed), ("(1,2,3,4,0,0)", HostPortError::OutOfRange)]
    {
        let (mut client, _) = Scripted::logged_in(DataMode::Pasv, get());
        assert_eq!(client.hears(&format!("227 {text}\r\n")), ["QUIT"]);
        let what = TransferFailure::NoAddress { command: "PASV", error };
        assert_eq!(client.transfer(), TransferOutcome::Failed { what, reply: Some(Reply::new(227, text)) });
    }
}

#[test]
fn replies_may_be_of_several_lines_split_and_joined() {
    let mut client = Scripted::new(ClientPlan::default());
    assert!(client.hears("220-Hello\r\n331 not yet\r\n22").is_empty());
    assert_eq!(
        client.hears("0 now\r\n331 Password\r\n230 In\r\n"),
        ["USER anonymous", "PASS guest@", "QUIT"]
    );
    client.hears("221 Bye\r\n");
    assert_eq!(client.outcome(), ClientOutcome { control: Ok(()), transfers: vec![], modes: vec![] });
}

#[test]
fn complete_may_overtake_the_bytes() {
    let mut client = running(get());
    assert!(client.hears("150 Here\r\n226 Done\r\n").is_empty());
    assert!(client.sees(Input::DataBytes(b"late")).is_empty());
    assert_eq!(client.sees(Input::DataClosed), ["CloseData", "QUIT"]);
    assert_eq!(client.transfer(), TransferOutcome::Received(b"late".to_vec()));
}

#[test]
fn the_bytes_may_overtake_the_reply() {
    let mut client = running(get());
    client.sees(Input::DataBytes(b"early"));
    assert_eq!(client.sees(Input::DataClosed), ["CloseData"]);
    assert_eq!(client.hears("150 Here\r\n226 Done\r\n"), ["QUIT"]);
    assert_eq!(client.transfer(), TransferOutcome::Received(b"early".to_vec()));
}

#[test]
fn a_file_is_sent_only_once_the_server_wants_it() {
    let mut client = running(put());
    assert_eq!(client.hears("150 Go\r\n"), ["SendData bytes", "CloseData"]);
    assert!(client.sees(Input::DataSent).is_empty());
    assert_eq!(client.hears("226 Done\r\n"), ["QUIT"]);
    assert_eq!(client.transfer(), TransferOutcome::Sent { bytes: 5 });
}

#[test]
fn a_refused_file_is_not_sent() {
    let mut client = running(put());
    assert_eq!(client.hears("553 No\r\n"), ["CloseData", "QUIT"]);
    let reply = Some(Reply::new(553, "No"));
    assert_eq!(client.transfer(), TransferOutcome::Failed { what: TransferFailure::Refused, reply });
}

#[test]
fn each_dial_failure_is_told_apart() {
    for why in [Failure::Refused, Failure::Unreachable, Failure::TimedOut] {
        let (mut client, _) = Scripted::logged_in(DataMode::Pasv, get());
        client.hears("227 (1,2,3,4,5,6)\r\n");
        assert_eq!(client.sees(Input::DataFailed(why)), ["QUIT"]);
        assert_eq!(client.transfer(), failed(TransferFailure::NotOpened(why)));
    }
}

#[test]
fn a_broken_data_connection_waits_for_the_servers_word_on_it() {
    let mut client = running(get());
    client.hears("150 Here\r\n");
    client.sees(Input::DataBytes(b"half"));
    assert!(client.sees(Input::DataReset).is_empty());
    assert_eq!(client.hears("426 Broke\r\n"), ["QUIT"]);
    let reply = Some(Reply::new(426, "Broke"));
    assert_eq!(client.transfer(), TransferOutcome::Failed { what: TransferFailure::Broke, reply });
}

#[test]
fn a_stalled_transfer_is_given_up_and_quit_still_answered() {
    let mut client = running(get());
    client.hears("150 Here\r\n");
    assert!(client.waits(59).is_empty());
    client.sees(Input::DataBytes(b"one more"));
    assert!(client.waits(59).is_empty());
    assert_eq!(client.waits(1), ["AbortData"]);
    assert_eq!(client.waits(60), ["QUIT"]);
    // The verdict on the transfer comes after all, then the goodbye.
    assert!(client.hears("426 Oh\r\n").is_empty());
    assert_eq!(client.hears("221 Bye\r\n"), ["CloseControl"]);
    assert_eq!(client.outcome().control, Ok(()));
    assert_eq!(client.outcome().transfers, [failed(TransferFailure::Stalled)]);
}

#[test]
fn preliminary_replies_buy_no_time() {
    let mut client = running(get());
    client.hears("150 Here\r\n");
    for _ in 0..59 {
        client.waits(1);
        assert!(client.hears("150 Wait\r\n").is_empty());
    }
    assert_eq!(client.waits(1), ["AbortData"]);
}

#[test]
fn a_file_that_never_ends_is_cut_off() {
    let plan = ClientPlan { transfers: vec![get()], max_received: 3, ..ClientPlan::default() };
    let mut client = Scripted::new(plan);
    client.hears("220 a\r\n230 b\r\n200 c\r\n227 (1,2,3,4,5,6)\r\n");
    client.data_opened();
    client.hears("150 Here\r\n");
    assert_eq!(client.sees(Input::DataBytes(b"four")), ["AbortData"]);
    client.hears("426 Oh\r\n");
    let reply = Some(Reply::new(426, "Oh"));
    assert_eq!(client.transfer(), TransferOutcome::Failed { what: TransferFailure::TooLong, reply });
}

#[test]
fn a_421_ends_the_session_at_any_point() {
    let mut client = running(get());
    assert_eq!(client.hears("421 Shutting down\r\n"), ["CloseData", "CloseControl"]);
    let reply = Reply::new(421, "Shutting down");
    let closing = ControlFailure::ServiceClosing(reply.clone());
    let what = TransferFailure::SessionEnded(closing.clone());
    let transfers = vec![TransferOutcome::Failed { what, reply: Some(reply) }];
    let outcome = client.outcome();
    assert_eq!((outcome.control, outcome.transfers), (Err(closing), transfers));
}

#[test]
fn other_protocols_and_endless_lines_are_errors() {
    let mut ssh = Scripted::new(ClientPlan::default());
    assert_eq!(ssh.hears("SSH-2.0-OpenSSH_9.6\r\n"), ["CloseControl"]);
    let not_a_reply = ReplyError::NotAReply("SSH-2.0-OpenSSH_9.6".to_owned());
    assert_eq!(ssh.outcome().control, Err(ControlFailure::NotFtp(not_a_reply)));

    let mut endless = Scripted::new(ClientPlan::default());
    assert_eq!(endless.hears(&"2".repeat(5000)), ["CloseControl"]);
    assert_eq!(endless.outcome().control, Err(ControlFailure::NotFtp(ReplyError::TooLong)));
}

#[test]
fn a_connection_that_does_not_come_about_is_told_apart() {
    let mut client = ClientSession::new(ClientPlan::default(), Instant::ZERO);
    client.handle_timeout(Instant::from_secs(59));
    assert!(client.outcome().is_none());
    client.handle_timeout(Instant::from_secs(60));
    let not_connected = |why| Some(Err(ControlFailure::NotConnected(why)));
    assert_eq!(client.outcome().map(|outcome| outcome.control.clone()), not_connected(Failure::TimedOut));

    let mut client = ClientSession::new(ClientPlan::default(), Instant::ZERO);
    client.handle(Instant::ZERO, Input::ControlFailed(Failure::Refused));
    assert_eq!(client.outcome().map(|outcome| outcome.control.clone()), not_connected(Failure::Refused));
}

#[test]
fn a_reply_to_nothing_is_not_taken_for_the_next_one() {
    let (mut client, _) = Scripted::logged_in(DataMode::NoCommand, get());
    assert!(client.hears("550 What?\r\n").is_empty());
    assert_eq!(client.sees(Input::DataListening { local: CLIENT }), ["RETR f"]);
}

#[test]
fn a_server_that_hangs_up_on_quit_has_said_goodbye() {
    let mut client = Scripted::new(ClientPlan::default());
    assert_eq!(client.hears("220 a\r\n230 b\r\n"), ["USER anonymous", "QUIT"]);
    client.sees(Input::ControlClosed);
    assert_eq!(client.outcome().control, Ok(()));
}

#[test]
fn a_connection_lost_after_the_data_is_a_session_ended() {
    let mut client = running(get());
    client.hears("150 Here\r\n");
    client.sees(Input::DataClosed);
    client.sees(Input::ControlReset);
    assert_eq!(client.outcome().transfers, [failed(TransferFailure::SessionEnded(ControlFailure::Reset))]);
}

#[test]
fn a_dial_failure_without_a_dial_changes_nothing() {
    let mode = DataMode::Port;
    let (mut client, _) = Scripted::logged_in(mode, get());
    client.sees(Input::DataListening { local: CLIENT });
    assert!(client.sees(Input::DataFailed(Failure::Refused)).is_empty());
    assert!(client.sees(Input::DataReset).is_empty());
    assert_eq!(client.hears("200 Ok\r\n"), ["RETR f"]);
}

#[test]
fn a_refused_port_stops_the_listener() {
    let mode = DataMode::Port;
    let (mut client, _) = Scripted::logged_in(mode, get());
    client.sees(Input::DataListening { local: CLIENT });
    assert_eq!(client.hears("500 Illegal PORT command.\r\n"), ["AbortData", "QUIT"]);
}

#[test]
fn a_client_that_wants_tls_logs_in_behind_it_and_protects_its_data_connections() {
    let mut client = Scripted::new(ClientPlan { tls: true, ..plan(DataMode::Pasv, get()) });
    assert_eq!(client.hears("220 Hi\r\n"), ["AUTH TLS"]);
    // What stands behind the reply in the same segment is not TLS: somebody else's.
    assert_eq!(client.hears("234 Go\r\n331 Password\r\n"), ["SecureControl", "USER anonymous"]);
    assert_eq!(client.hears("331 Password\r\n"), ["PASS guest@"]);
    assert_eq!(client.hears("230 In\r\n"), ["PBSZ 0"]);
    assert_eq!(client.hears("200 Ok\r\n"), ["PROT P"]);
    assert_eq!(client.hears("200 Ok\r\n"), ["TYPE I"]);
    assert_eq!(client.hears("200 Ok\r\n"), ["PASV"]);
    let dialled = client.hears("227 Entering Passive Mode (1,2,3,4,5,6).\r\n");
    assert_eq!(dialled, ["ConnectData { from_port: None, to: 1.2.3.4:1286 }", "SecureData"]);
}

#[test]
fn a_client_that_wants_tls_does_not_do_without_it() {
    let mut client = Scripted::new(ClientPlan { tls: true, ..plan(DataMode::Pasv, get()) });
    client.hears("220 Hi\r\n");
    assert_eq!(client.hears("502 No\r\n"), ["QUIT"]);
    client.hears("221 Bye\r\n");
    let refused = ControlFailure::Refused { to: "AUTH".to_owned(), reply: Reply::new(502, "No") };
    assert_eq!(client.outcome().control, Err(refused));
}
