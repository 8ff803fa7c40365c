//! The lab as a ground: how it waits, what wakes it, and what is left of it.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::{fs, io};

use nix::sched::{CloneFlags, unshare};
use quirknat_sim::host::{Carrier, ConnectionState, ExchangeFailure, ExchangePlan, Stack};
use quirknat_sim::lab::Lab;
use quirknat_sim::net::{HostId, InternetSpec, Place, WireSpec};
use quirknat_sim::scenario::play_on;
use quirknat_sim::world::{Backend, HostPlace, World, public};
use smoltcp::time::{Duration, Instant};

use crate::{at_home, can_lab, lab, scenario};

const ONE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const OTHER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);

/// Two hosts on the public network.
fn pair() -> (World<Lab>, [HostId; 2]) {
    let mut world = World::new(lab(), InternetSpec::default(), 1);
    let hosts = [("one", ONE), ("other", OTHER)].map(|(name, address)| {
        let host = world.add_host(name, public(address), Place::Internet, &WireSpec::default());
        host.expect("root can make hosts")
    });
    (world, hosts)
}

/// How often the lab wakes within this time.
fn wakings(world: &mut World<Lab>, time: Duration) -> u32 {
    let mut count = 0;
    let until = world.now() + time;
    world.run(until, |_| {
        count += 1;
        false
    });
    count
}

fn plan(request: &[u8]) -> ExchangePlan {
    ExchangePlan {
        carrier: Carrier::Tcp,
        source_port: None,
        to: SocketAddrV4::new(OTHER, 7),
        request: request.to_vec(),
        answer: b"never".to_vec(),
        times: 1,
        every: Duration::ZERO,
        patience: Duration::from_millis(200),
    }
}

#[test]
fn a_lab_in_which_nothing_happens_sleeps() {
    if !can_lab() {
        return;
    }
    let (mut world, [one, other]) = pair();
    wakings(&mut world, Duration::from_millis(50));
    let empty = wakings(&mut world, Duration::from_millis(200));
    assert!(empty <= 3, "{empty} times");

    // A connection that both ends keep open, and one that only one end has closed.
    let answer = world.host(other).unwrap().answer(Carrier::Tcp, 7, 1000, b"never".to_vec());
    let now = world.now();
    let asks = world.host(one).unwrap().exchange(now, plan(b"too short"));
    wakings(&mut world, Duration::from_millis(50));
    let open = wakings(&mut world, Duration::from_millis(100));
    assert!(open <= 5, "{open} times");
    wakings(&mut world, Duration::from_millis(200));
    let outcome = world.host(one).unwrap().exchanged(asks).unwrap();
    assert_eq!(outcome.failure, Some(ExchangeFailure::NoAnswer));
    let closed = wakings(&mut world, Duration::from_millis(200));
    assert!(closed <= 5, "{closed} times");
    world.host(other).unwrap().end(answer.unwrap());
}

/// A lab that only waits, and its time.
struct Waiting(Lab, Instant);

impl Waiting {
    /// Whether it wakes before so many milliseconds have passed.
    fn wakes(&mut self, milliseconds: u64) -> bool {
        let until = self.1 + Duration::from_millis(milliseconds);
        self.1 = self.0.wait(&mut [], self.1, until);
        self.1 < until
    }

    /// Some segments cross, a delayed acknowledgement last; then a lab sleeps.
    fn comes_to_rest(&mut self) -> bool {
        (0..10).any(|_| !self.wakes(100))
    }
}

/// A stack by itself, without a program that reads: what lies there unread, the peer's FIN and the death of a
/// connection are each told once.
#[test]
fn what_nobody_reads_wakes_once() {
    if !can_lab() {
        return;
    }
    let mut lab = lab();
    let address = public(ONE);
    let mut stack = lab.stack(&HostPlace { name: "alone", address, mtu: 1500, seed: 1 }).unwrap();
    // Over the host's own loopback, where nobody needs to carry packets.
    let (listener, port) = stack.listen(None).unwrap();
    let client = stack.dial(None, SocketAddrV4::new(ONE, port)).unwrap();
    let server = stack.accept(listener).unwrap();
    assert_eq!(stack.state(client), ConnectionState::Open);
    assert_eq!(stack.send(client, b"unread"), 6);
    let mut waiting = Waiting(lab, Instant::ZERO);
    assert!(waiting.comes_to_rest(), "unread bytes keep it awake");
    stack.close(client);
    assert!(waiting.wakes(5000), "a FIN does not wake it");
    assert!(waiting.comes_to_rest(), "an unread FIN keeps it awake");
    assert!(!stack.is_acknowledged(server));
    assert!(stack.is_acknowledged(client));
    assert_eq!(stack.state(server), ConnectionState::Open, "the bytes come first");
    assert_eq!(stack.receive(server).as_deref(), Some(&b"unread"[..]));
    assert_eq!(stack.state(server), ConnectionState::PeerClosed);
    stack.abort(server);
    assert!(matches!(stack.state(server), ConnectionState::Closed(_)));
    assert!(waiting.wakes(5000), "a reset does not wake it");
    assert!(waiting.comes_to_rest(), "a dead connection keeps it awake");
    assert!(matches!(stack.state(client), ConnectionState::Closed(_)));
    assert!(!stack.is_acknowledged(client));
    stack.remove(client);
    stack.remove(server);
    assert_eq!(stack.listen(Some(port)), None, "the port is taken");
    stack.unlisten(listener);
    assert!(stack.listen(Some(port)).is_some(), "in spite of TIME-WAIT");
}

/// Both FINs cross: the peer's close is told before the end, and the end is an orderly one.
#[test]
fn an_orderly_end_is_told_in_order() {
    if !can_lab() {
        return;
    }
    let mut lab = lab();
    let place = HostPlace { name: "alone", address: public(ONE), mtu: 1500, seed: 1 };
    let mut stack = lab.stack(&place).unwrap();
    let (listener, port) = stack.listen(None).unwrap();
    let client = stack.dial(None, SocketAddrV4::new(ONE, port)).unwrap();
    let server = stack.accept(listener).unwrap();
    assert_eq!(stack.state(client), ConnectionState::Open);
    assert_eq!(stack.ends(client), stack.ends(server).map(|(local, remote)| (remote, local)));
    assert!(!stack.is_acknowledged(client), "no FIN has left");
    stack.close(client);
    stack.close(server);
    for end in [client, server] {
        assert_eq!(stack.state(end), ConnectionState::PeerClosed);
        assert!(matches!(stack.state(end), ConnectionState::Closed(_)));
        assert!(stack.is_acknowledged(end));
        assert_eq!(stack.receive(end), None);
        assert_eq!(stack.send(end, b"too late"), 0);
    }
}

#[test]
fn a_descriptor_wakes_it_until_it_is_asked_about() {
    if !can_lab() {
        return;
    }
    let (mut world, _) = pair();
    let (reader, mut writer) = io::pipe().unwrap();
    world.backend().wake_on(OwnedFd::from(reader));
    assert!(wakings(&mut world, Duration::from_millis(100)) <= 3);
    writer.write_all(b"x").unwrap();
    let until = world.now() + Duration::from_secs(60);
    world.run(until, |world| world.backend().take_wake());
    assert!(world.now() < until);
    // It is readable still. Not asked, it does not keep the lab awake.
    assert!(wakings(&mut world, Duration::from_millis(100)) <= 3);
}

#[test]
fn time_that_is_skipped_is_not_waited_for() {
    if !can_lab() {
        return;
    }
    let (mut world, _) = pair();
    let before = world.now();
    world.pass(Duration::from_secs(7200));
    assert!(world.now() >= before + Duration::from_secs(7200));
    assert!(world.now() < before + Duration::from_secs(7210));
}

#[test]
fn nothing_remains_of_it() {
    if !can_lab() {
        return;
    }
    // A table of descriptors of this thread's own.
    unshare(CloneFlags::CLONE_FILES).unwrap();
    let count = || fs::read_dir("/proc/thread-self/fd").unwrap().count();
    let mark = format!("mark-of-{}", std::process::id());
    let text = at_home(
        r#"
[[step]]
udp = { client = "pc", server = "server", port = 5000 }

[[step]]
tcp = { client = "pc", server = "server", port = 7, patience = "50ms", request = 9, answer = 0, times = 3 }

[[step]]
run = { on = "pc", command = ["sleep", "0"] }
"#,
    );
    let program = format!("program = [{{ command = [\"sleep\", \"1000\"], files = {{ {mark} = \"\" }} }}]");
    let text = text.replace("[host.server]", &format!("[host.server]\n{program}"));
    let before = count();
    for _ in 0..3 {
        assert!(play_on(lab(), "test", &scenario(&text), 1).is_ok());
    }
    assert_eq!(count(), before);
    let folders = fs::read_dir(std::env::temp_dir()).unwrap().filter_map(Result::ok);
    assert!(!folders.map(|folder| folder.path().join(&mark)).any(|file| file.exists()));
}
