//! Any input in any state: nothing panics, and every session ends once time passes.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use proptest::prelude::*;
use smoltcp::time::{Duration, Instant};

use crate::ftp::{
    Action, ClientPlan, ClientSession, DataMode, DataType, Failure, Fallback, Files, ForeignAddress, Input,
    Machine, Segments, ServerConfig, ServerSession, Transfer, Trouble,
};

#[derive(Clone, Debug)]
enum Fed {
    ControlOpened,
    ControlFailed,
    Control(Vec<u8>),
    ControlClosed,
    ControlReset,
    Listening(u16),
    ListenFailed,
    Opened(u32),
    Failed(Failure),
    Data(Vec<u8>),
    Progress,
    Closed,
    Reset,
    Sent,
    Wait(u32),
}

fn line(choices: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(choices).prop_map(|line| format!("{line}\r\n").into_bytes())
}

const COMMANDS: &[&str] = &[
    "USER ftp",
    "PASS x",
    "PASV",
    "EPSV",
    "EPSV ALL",
    "PORT 192,168,1,100,65,43",
    "PORT 9,9,9,9,1,1",
    "TYPE A",
    "TYPE I",
    "LIST",
    "NLST f",
    "RETR f",
    "RETR no",
    "STOR g",
    "DELE f",
    "ABOR",
    "REST 0",
    "NOOP",
    "QUIT",
    "SIZE f",
];
const REPLIES: &[&str] = &[
    "220 hi",
    "220-hi",
    "220 ",
    "331 pw",
    "230 in",
    "200 ok",
    "150 go",
    "125 go",
    "226 done",
    "227 (1,2,3,4,5,6)",
    "227 no",
    "229 (|||6|)",
    "425 no",
    "426 broke",
    "500 what",
    "550 no",
    "221 bye",
    "421 end",
    "120 wait",
    "350 more",
];

fn fed(lines: &'static [&'static str]) -> impl Strategy<Value = Fed> {
    let failure = prop::sample::select(&[Failure::Refused, Failure::TimedOut, Failure::Unreachable][..]);
    let bytes = prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        30 => line(lines).prop_map(Fed::Control),
        2 => bytes.clone().prop_map(Fed::Control),
        1 => prop::collection::vec(any::<u8>(), 4000..5000).prop_map(Fed::Control),
        2 => Just(Fed::ControlOpened),
        1 => prop::sample::select(vec![Fed::ControlFailed, Fed::ControlClosed, Fed::ControlReset]),
        8 => any::<u16>().prop_map(Fed::Listening),
        1 => Just(Fed::ListenFailed),
        8 => prop_oneof![Just(u32::from_be_bytes([192, 168, 1, 100])), any::<u32>()].prop_map(Fed::Opened),
        2 => failure.prop_map(Fed::Failed),
        6 => bytes.prop_map(Fed::Data),
        8 => prop::sample::select(vec![Fed::Progress, Fed::Closed, Fed::Reset, Fed::Sent]),
        3 => any::<u32>().prop_map(Fed::Wait),
    ]
}

/// Feeds a machine, then lets time pass: it must come to its end by its own timeouts, and leave no data socket behind.
/// Returns how many things it wanted done.
fn drive(machine: &mut dyn Machine, start: Instant, fed: &[Fed]) -> usize {
    let at = |ip: u32, port: u16| SocketAddrV4::new(Ipv4Addr::from_bits(ip), port);
    let (local, remote) = (at(0xc633_6409, 21), at(0xc0a8_0164, 1025));
    let mut now = start;
    machine.handle(now, Input::ControlOpened { local, remote });
    let mut slot = Slot::default();
    slot.drain(machine);
    for fed in fed {
        let input = match fed {
            Fed::ControlOpened => Input::ControlOpened { local, remote },
            Fed::ControlFailed => Input::ControlFailed(Failure::Refused),
            Fed::Control(bytes) => Input::ControlBytes(bytes),
            Fed::ControlClosed => Input::ControlClosed,
            Fed::ControlReset => Input::ControlReset,
            Fed::Listening(port) => Input::DataListening { local: at(0, *port) },
            Fed::ListenFailed => Input::DataListenFailed,
            Fed::Opened(ip) => Input::DataOpened { local, remote: at(*ip, 9) },
            Fed::Failed(why) => Input::DataFailed(*why),
            Fed::Data(bytes) => Input::DataBytes(bytes),
            Fed::Progress => Input::DataProgress,
            Fed::Closed => Input::DataClosed,
            Fed::Reset => Input::DataReset,
            Fed::Sent => Input::DataSent,
            Fed::Wait(millis) => {
                now += Duration::from_millis(u64::from(*millis % 100_000));
                machine.handle_timeout(now);
                slot.drain(machine);
                continue;
            }
        };
        slot.occupied &= !matches!(input, Input::DataListenFailed | Input::DataFailed(_) | Input::DataReset);
        machine.handle(now, input);
        slot.drain(machine);
    }
    for _ in 0..1000 {
        let Some(deadline) = machine.poll_timeout() else { break };
        machine.handle_timeout(deadline.max(now));
        slot.drain(machine);
    }
    assert!(machine.is_finished(), "waits for nothing, and is not finished");
    assert!(!slot.occupied, "leaves a data socket behind");
    slot.actions
}

/// The data slot of a driver, for as much as matters here.
#[derive(Default)]
struct Slot {
    occupied: bool,
    actions: usize,
}

impl Slot {
    fn drain(&mut self, machine: &mut dyn Machine) {
        while let Some(action) = machine.poll_action() {
            self.actions += 1;
            match action {
                Action::ListenData { .. } | Action::ConnectData { .. } => {
                    assert!(!self.occupied, "a data socket is replaced that was neither closed nor dropped");
                    self.occupied = true;
                }
                Action::CloseData | Action::AbortData => self.occupied = false,
                _ => {}
            }
        }
    }
}

fn modes() -> impl Strategy<Value = DataMode> {
    prop::sample::select(vec![
        DataMode::Port,
        DataMode::Pasv,
        DataMode::Eprt,
        DataMode::Epsv,
        DataMode::NoCommand,
    ])
}

fn fallbacks() -> impl Strategy<Value = Vec<Fallback>> {
    let on = prop::sample::select(vec![Trouble::Refused, Trouble::NotOpened]);
    let one = (modes(), on, modes()).prop_map(|(from, on, to)| Fallback { from, on, to });
    prop::collection::vec(one, 0..6)
}

fn transfers() -> impl Strategy<Value = Vec<Transfer>> {
    let one = prop_oneof![
        Just(Transfer::List { path: None }),
        any::<String>().prop_map(|name| Transfer::Get { name }),
        (any::<String>(), any::<Vec<u8>>()).prop_map(|(name, bytes)| Transfer::Put { name, bytes }),
    ];
    prop::collection::vec(one, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_client_survives_anything_and_ends(
        data_mode in modes(),
        transfers in transfers(),
        ascii: bool,
        late: bool,
        fallbacks in fallbacks(),
        piece in 0_usize..4,
        fed in prop::collection::vec(fed(REPLIES), 0..80),
    ) {
        let data_type = if ascii { DataType::Ascii } else { DataType::Image };
        let count = transfers.len();
        let segments = if piece == 0 { Segments::Whole } else { Segments::Each(piece * 4) };
        let plan = ClientPlan {
            data_mode,
            data_type,
            transfers,
            fallbacks,
            segments,
            tls: ascii != late,
            data_ports: Some(65_530..=65_535),
            max_received: 100,
            ..ClientPlan::default()
        };
        // A clock at its very end must not overflow either.
        let start = if late { Instant::from_micros(i64::MAX - 10_000_000_000_000) } else { Instant::ZERO };
        let mut client = ClientSession::new(plan, start);
        let actions = drive(&mut client, start, &fed);
        prop_assert!(actions < 1000);
        prop_assert_eq!(client.outcome().map(|outcome| outcome.transfers.len()), Some(count));
    }

    #[test]
    fn a_server_survives_anything_and_ends(
        accept: bool,
        ranged: bool,
        delayed: bool,
        fed in prop::collection::vec(fed(COMMANDS), 0..80),
    ) {
        let foreign = if accept { ForeignAddress::Accept } else { ForeignAddress::Refuse };
        let config = ServerConfig {
            foreign_port: foreign,
            foreign_passive_peer: foreign,
            passive_ports: ranged.then_some(65_530..=65_535),
            tls: ranged != delayed,
            data_delay: Duration::from_secs(u64::from(delayed) * 30),
            max_file: 100,
            ..ServerConfig::default()
        };
        let files: Files = [("f", *b"file\n")].into_iter().collect();
        let mut server = ServerSession::new(Arc::new(config), files.clone());
        let log_in = Fed::Control(b"USER ftp\r\nPASS x\r\n".to_vec());
        let fed: Vec<_> = std::iter::once(log_in).chain(fed).collect();
        let actions = drive(&mut server, Instant::ZERO, &fed);
        prop_assert!(actions < 2000);
        prop_assert!(files.names().iter().all(|name| ["f", "g"].contains(&name.as_str())));
    }
}
