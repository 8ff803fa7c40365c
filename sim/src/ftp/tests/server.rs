//! A server against a client that types as it likes.

use std::net::SocketAddrV4;
use std::sync::Arc;

use smoltcp::time::{Duration, Instant};

use super::pair::{CLIENT, SERVER};
use crate::ftp::{
    Action, Failure, Files, Input, Machine, NoCommand, ServerConfig, ServerSession, SetupCommand,
};

/// A server, and what it did.
struct Typed {
    server: ServerSession,
    files: Files,
    now: Instant,
}

impl Typed {
    fn new(config: ServerConfig) -> Self {
        let files: Files = [("readme.txt", *b"Hello\n")].into_iter().collect();
        let server = ServerSession::new(Arc::new(config), files.clone());
        let mut typed = Self { server, files, now: Instant::ZERO };
        assert_eq!(typed.does(Input::ControlOpened { local: SERVER, remote: CLIENT }), ["220 Service ready"]);
        typed
    }

    fn logged_in() -> Self {
        let mut typed = Self::new(ServerConfig::default());
        let replies = typed.types("USER ftp\r\nPASS x\r\nTYPE I\r\n");
        assert_eq!(codes(&replies), ["331", "230", "200"]);
        typed
    }

    fn types(&mut self, text: &str) -> Vec<String> {
        self.does(Input::ControlBytes(text.as_bytes()))
    }

    fn does(&mut self, input: Input<'_>) -> Vec<String> {
        self.server.handle(self.now, input);
        self.drained()
    }

    fn waits(&mut self, seconds: u64) -> Vec<String> {
        self.now += Duration::from_secs(seconds);
        self.server.handle_timeout(self.now);
        self.drained()
    }

    /// Replies as they are, anything else by name.
    fn drained(&mut self) -> Vec<String> {
        let show = |action: Action| match action {
            Action::SendControl(bytes) => String::from_utf8(bytes).unwrap().trim_end().to_owned(),
            Action::SendData(bytes) => format!("SendData {}", String::from_utf8(bytes).unwrap()),
            other => format!("{other:?}"),
        };
        std::iter::from_fn(|| self.server.poll_action()).map(show).collect()
    }

    fn data_opened(&mut self) -> Vec<String> {
        self.does(Input::DataOpened { local: SERVER, remote: CLIENT })
    }
}

fn codes(replies: &[String]) -> Vec<&str> {
    replies.iter().map(|reply| reply.split([' ', '-']).next().unwrap()).collect()
}

const LISTENING: Input<'static> =
    Input::DataListening { local: SocketAddrV4::new(std::net::Ipv4Addr::UNSPECIFIED, 40474) };

#[test]
fn each_command_has_its_reply() {
    let mut server = Typed::logged_in();
    for (line, code) in [
        ("SYST", "215"),
        ("feat", "211"),
        ("Noop", "200"),
        ("HELP", "214"),
        ("ACCT x", "202"),
        ("PWD", "257"),
        ("CWD /", "250"),
        ("CDUP", "250"),
        ("CWD /etc", "550"),
        ("MODE S", "200"),
        ("STRU F", "200"),
        ("REST 0", "350"),
        ("TYPE A N", "200"),
        ("SIZE readme.txt", "213"),
        ("SIZE nothing", "550"),
        ("PASS again", "503"),
        ("PORT 192,168,1,100,65,43", "200"),
        ("PORT 192,168,1,100,0,22", "504"),
        ("PORT 192,168,1,100,0,0", "501"),
        ("PORT 192,168,1,101,65,43", "500"),
        ("EPRT |1|192.168.1.101|16683|", "500"),
        ("STOR a/b", "553"),
        ("RETR", "501"),
        ("MKD x", "502"),
        ("FROB", "500"),
        ("DELE readme.txt", "250"),
        ("DELE readme.txt", "550"),
    ] {
        let replies = server.types(&format!("{line}\r\n"));
        assert_eq!(codes(&replies), [code], "{line}: {replies:?}");
    }
    assert_eq!(server.types("ABOR\r\nQUIT\r\n").last().unwrap(), "CloseControl");
    assert!(server.server.is_finished());
}

#[test]
fn who_is_not_logged_in_gets_a_530() {
    let mut server = Typed::new(ServerConfig::default());
    let replies = server.types("PWD\r\nPASV\r\nRETR readme.txt\r\nPASS x\r\nNOOP\r\n");
    assert_eq!(codes(&replies), ["530", "530", "530", "503", "200"]);
}

#[test]
fn after_three_wrong_passwords_the_session_ends() {
    let mut server = Typed::new(ServerConfig { anonymous: false, ..ServerConfig::default() });
    let replies = server.types(&"USER eve\r\nPASS guess\r\n".repeat(4));
    assert_eq!(codes(&replies), ["331", "530", "331", "530", "331", "421", "CloseControl"]);
}

#[test]
fn pipelined_commands_are_served_in_order() {
    let mut server = Typed::logged_in();
    let first = server.types("PASV\r\nRETR readme.txt\r\nNOOP\r\nPASV\r\nSYST\r\nQUIT\r\n");
    assert_eq!(first, ["ListenData { port: None }"]);
    assert_eq!(codes(&server.does(LISTENING)), ["227"]);
    let transfer = server.data_opened();
    assert_eq!(transfer, ["150 Opening data connection.", "SendData Hello\n", "CloseData"]);
    let after = server.does(Input::DataSent);
    assert_eq!(after, ["226 Transfer complete.", "200 NOOP ok.", "ListenData { port: None }"]);
    let rest = server.does(LISTENING);
    assert_eq!(codes(&rest), ["227", "215", "221", "AbortData", "CloseControl"]);
}

#[test]
fn a_file_sent_ahead_of_its_stor_is_stored() {
    let mut server = Typed::logged_in();
    server.types("PASV\r\n");
    server.does(LISTENING);
    server.data_opened();
    server.does(Input::DataBytes(b"early"));
    server.does(Input::DataClosed);
    assert_eq!(codes(&server.types("STOR new\r\n")), ["150", "CloseData", "226"]);
    assert_eq!(server.files.get("new").as_deref(), Some(&b"early"[..]));
}

#[test]
fn an_upload_that_breaks_is_a_426_and_is_not_stored() {
    let mut server = Typed::logged_in();
    server.types("PORT 192,168,1,100,65,43\r\nSTOR new\r\n");
    server.data_opened();
    server.does(Input::DataBytes(b"half"));
    assert_eq!(codes(&server.does(Input::DataReset)), ["426"]);
    assert_eq!(server.files.get("new"), None);
}

#[test]
fn an_upload_beyond_the_limit_is_a_552() {
    let mut server = Typed::new(ServerConfig { max_file: 3, ..ServerConfig::default() });
    server.types("USER ftp\r\nPASS\r\nPORT 192,168,1,100,65,43\r\nSTOR new\r\n");
    server.data_opened();
    assert_eq!(codes(&server.does(Input::DataBytes(b"four"))), ["AbortData", "552"]);
}

#[test]
fn abor_overtakes_a_transfer_with_or_without_telnet_signals() {
    for abor in [&b"ABOR\r\n"[..], b"\xff\xf4\xff\xf2abor\r\n"] {
        let mut server = Typed::logged_in();
        server.types("PORT 192,168,1,100,65,43\r\nRETR readme.txt\r\n");
        server.data_opened();
        assert_eq!(codes(&server.does(Input::ControlBytes(abor))), ["AbortData", "426", "226"]);
    }
}

#[test]
fn a_stranger_on_the_passive_port_is_turned_away() {
    let mut server = Typed::logged_in();
    server.types("PASV\r\n");
    server.does(LISTENING);
    let remote = "203.0.113.66:999".parse().unwrap();
    assert_eq!(server.does(Input::DataOpened { local: SERVER, remote }), ["AbortData"]);
    assert_eq!(codes(&server.types("LIST\r\n")), ["425"]);
}

#[test]
fn a_passive_client_that_does_not_come_is_a_425() {
    let mut server = Typed::logged_in();
    server.types("PASV\r\n");
    server.does(LISTENING);
    assert!(server.types("LIST\r\n").is_empty());
    assert!(server.waits(59).is_empty());
    assert_eq!(codes(&server.waits(1)), ["AbortData", "425"]);
}

#[test]
fn an_idle_session_ends_with_a_421() {
    let mut server = Typed::logged_in();
    assert!(server.waits(299).is_empty());
    assert_eq!(server.waits(1), ["421 Timeout.", "CloseControl"]);
}

#[test]
fn an_overlong_line_is_a_500_and_the_next_one_is_served() {
    let mut server = Typed::logged_in();
    let replies = server.types(&format!("RETR {}\r\nNOOP\r\n", "x".repeat(5000)));
    assert_eq!(codes(&replies), ["500", "200"]);
}

#[test]
fn a_client_far_ahead_of_the_replies_is_cut_off() {
    let mut server = Typed::logged_in();
    server.types("PASV\r\n");
    let replies = server.types(&"NOOP\r\n".repeat(100));
    assert_eq!(codes(&replies), ["AbortData", "421", "CloseControl"]);
}

#[test]
fn a_client_that_hangs_up_takes_its_transfer_with_it() {
    let mut server = Typed::logged_in();
    server.types("PORT 192,168,1,100,65,43\r\nRETR readme.txt\r\n");
    assert_eq!(server.does(Input::ControlClosed), ["AbortData", "CloseControl"]);
    assert_eq!(server.server.poll_timeout(), None);
}

#[test]
fn after_epsv_all_no_other_set_up_is_served() {
    let mut server = Typed::logged_in();
    let replies = server.types("EPSV ALL\r\nPASV\r\nPORT 192,168,1,100,65,43\r\nEPSV\r\n");
    assert_eq!(codes(&replies), ["200", "501", "501", "ListenData"]);
    let announced = server.does(LISTENING);
    assert_eq!(announced, ["229 Entering Extended Passive Mode (|||40474|)"]);
}

#[test]
fn each_transfer_needs_a_port_of_its_own() {
    let mut server = Typed::logged_in();
    let dialled = server.types("PORT 192,168,1,100,65,43\r\nLIST\r\n");
    assert_eq!(dialled[1], "ConnectData { from_port: Some(20), to: 192.168.1.100:16683 }");
    assert_eq!(codes(&server.does(Input::DataFailed(Failure::Refused))), ["425"]);
    let default = server.types("LIST\r\n");
    assert_eq!(default, ["ConnectData { from_port: Some(20), to: 192.168.1.100:1025 }"]);
}

#[test]
fn after_the_goodbye_nothing_is_answered() {
    let mut server = Typed::logged_in();
    assert_eq!(server.types("QUIT\r\nNOOP\r\n"), ["221 Goodbye.", "CloseControl"]);
    assert!(server.types("NOOP\r\n").is_empty());
    assert!(server.does(Input::ControlClosed).is_empty());
    assert!(server.waits(1000).is_empty());
}

#[test]
fn a_transfer_may_take_long_but_not_stand_still() {
    let mut server = Typed::logged_in();
    server.types("PORT 192,168,1,100,65,43\r\nSTOR new\r\n");
    server.waits(59);
    server.data_opened();
    assert!(server.waits(299).is_empty());
    server.does(Input::DataBytes(b"slow"));
    assert!(server.waits(299).is_empty());
    assert_eq!(codes(&server.waits(1)), ["AbortData", "426"]);
    assert_eq!(server.files.get("new"), None);
}

#[test]
fn a_slow_reader_is_waited_for_as_long_as_it_reads() {
    let mut server = Typed::logged_in();
    server.types("PORT 192,168,1,100,65,43\r\nRETR readme.txt\r\n");
    server.data_opened();
    for _ in 0..3 {
        assert!(server.waits(299).is_empty());
        server.does(Input::DataProgress);
    }
    assert_eq!(codes(&server.does(Input::DataSent)), ["226"]);
}

#[test]
fn what_it_lacks_is_not_implemented_and_not_among_its_features() {
    let mut typed = Typed::new(ServerConfig { lacks: vec![SetupCommand::Epsv], ..ServerConfig::default() });
    let features = typed.types("FEAT\r\n").join("\n");
    assert!(features.contains("EPRT") && features.contains("PASV") && !features.contains("EPSV"));
    typed.types("USER ftp\r\nPASS x\r\n");
    assert_eq!(codes(&typed.types("epsv\r\n")), ["502"]);
}

#[test]
fn a_transfer_that_waits_to_be_dialled_can_be_aborted() {
    let data_delay = Duration::from_secs(10);
    let mut typed = Typed::new(ServerConfig { data_delay, ..ServerConfig::default() });
    typed.types("USER ftp\r\nPASS x\r\nPORT 192,168,1,100,65,43\r\n");
    assert!(typed.types("LIST\r\n").is_empty());
    assert!(typed.waits(9).is_empty());
    let dialled = typed.waits(1);
    assert!(dialled[0].starts_with("ConnectData") && dialled.len() == 1, "{dialled:?}");

    typed.types("ABOR\r\nPORT 192,168,1,100,65,43\r\nLIST\r\n");
    assert_eq!(codes(&typed.types("ABOR\r\n")), ["AbortData", "426", "226"]);
    assert_eq!(codes(&typed.types("NOOP\r\n")), ["200"]);
}

#[test]
fn auth_tls_comes_before_the_login_and_pbsz_before_prot() {
    let mut typed = Typed::new(ServerConfig { tls: true, ..ServerConfig::default() });
    assert!(typed.types("FEAT\r\n").join("\n").contains(" AUTH TLS"));
    assert_eq!(
        codes(&typed.types("AUTH\r\nAUTH KERBEROS\r\nPBSZ 0\r\nPROT P\r\n")),
        ["501", "504", "503", "503"]
    );
    // Whatever stands behind it was not sent under TLS, and is nobody's.
    assert_eq!(typed.types("AUTH TLS\r\nUSER ftp\r\nPASS x\r\n"), ["234 AUTH TLS ok.", "SecureControl"]);
    assert_eq!(
        codes(&typed.types("AUTH TLS\r\nPROT P\r\nPBSZ 0\r\nPROT S\r\nPROT X\r\n")),
        ["503", "503", "200", "536", "501"]
    );
    assert_eq!(codes(&typed.types("USER ftp\r\nPASS x\r\nPASV\r\n")), ["331", "230", "ListenData"]);
    assert_eq!(codes(&typed.does(LISTENING)), ["227"]);
    assert_eq!(codes(&typed.types("PROT P\r\nPASV\r\n")), ["200", "AbortData", "ListenData", "SecureData"]);
}

#[test]
fn a_server_without_tls_knows_nothing_of_it() {
    let mut typed = Typed::new(ServerConfig::default());
    assert_eq!(codes(&typed.types("AUTH TLS\r\nPBSZ 0\r\nPROT P\r\n")), ["502", "502", "502"]);
}

#[test]
fn a_server_can_insist_on_port_or_pasv() {
    let mut typed = Typed::new(ServerConfig { no_command: NoCommand::Refuse, ..ServerConfig::default() });
    typed.types("USER ftp\r\nPASS x\r\n");
    assert_eq!(typed.types("LIST\r\nNOOP\r\n"), ["425 Use PORT or PASV first.", "200 NOOP ok."]);
    assert_eq!(codes(&typed.types("PORT 192,168,1,100,65,43\r\nLIST\r\n")), ["200", "ConnectData"]);
}
