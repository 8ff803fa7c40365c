//! What is sent through the path under measurement: plain sockets, a thread on either side, in its namespace.

use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::socket::{Backlog, setsockopt, sockopt};
use nix::unistd::Pid;

use crate::support::deadline::Deadline;
use crate::support::home::Home;
use crate::support::session::PUBLIC_SERVER;

const PORT: u16 = 5001;
/// Over all rounds fewer than the client has ports.
const CONNECTIONS: u32 = 1000;
/// How long anything may take beyond its measuring time.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The client sends.
    Up,
    /// The server sends.
    Down,
}

/// Gbit/s of one TCP connection, opened by the client, with the data in the given direction.
pub(crate) fn tcp_throughput(home: &Home, direction: Direction, time: Duration) -> f64 {
    let listener = listen(home);
    let received = thread::scope(|scope| {
        let server = scope.spawn(|| {
            home.outside.enter(|| {
                pin(1);
                let (stream, _) = listener.accept().expect("the client connects");
                if direction == Direction::Up { receive(stream, time) } else { send(stream, time) }
            })
        });
        let client = home.client().enter(|| {
            pin(0);
            let address = SocketAddr::from((server_address(), PORT));
            let stream = TcpStream::connect_timeout(&address, PATIENCE).expect("the path carries TCP");
            if direction == Direction::Up { send(stream, time) } else { receive(stream, time) }
        });
        let server = server.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        if direction == Direction::Up { server } else { client }
    });
    received * 8.0 / 1e9
}

fn server_address() -> Ipv4Addr {
    PUBLIC_SERVER.parse().expect("an IPv4 address")
}

fn listen(home: &Home) -> TcpListener {
    home.outside.enter(|| {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).expect("the port is free");
        // Room for all connections at once: one that finds the queue full is a second late.
        nix::sys::socket::listen(&listener, Backlog::new(2000).expect("within what the kernel takes"))
            .expect("a queue can be made longer");
        // `accept` waits as long as a read would.
        setsockopt(&listener, sockopt::ReceiveTimeout, &nix::sys::time::TimeVal::new(5, 0))
            .expect("a timeout can be set");
        listener
    })
}

/// Writes for that long; what arrived is the other side's to count.
fn send(mut stream: TcpStream, time: Duration) -> f64 {
    prepare(&stream);
    let block = vec![0x5a; 128 * 1024];
    let deadline = Deadline::after(time);
    while !deadline.passed() {
        stream.write_all(&block).expect("the path carries TCP");
    }
    let _ = stream.shutdown(Shutdown::Write);
    0.0
}

/// Bytes a second within the measuring time, from the first byte on.
fn receive(mut stream: TcpStream, time: Duration) -> f64 {
    prepare(&stream);
    let mut buffer = vec![0; 256 * 1024];
    let mut bytes = stream.read(&mut buffer).expect("the path carries TCP");
    let limit = time + PATIENCE;
    let end = Deadline::after(limit);
    while !end.passed() {
        match stream.read(&mut buffer).expect("the path carries TCP") {
            0 => break,
            count => bytes += count,
        }
    }
    float(bytes) / limit.saturating_sub(end.left()).as_secs_f64()
}

fn prepare(stream: &TcpStream) {
    // The machine's default may be another one, and pacing halves every figure.
    setsockopt(stream, sockopt::TcpCongestion, &OsString::from("cubic")).expect("every kernel has cubic");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    stream.set_write_timeout(Some(PATIENCE)).expect("a timeout can be set");
}

/// Thousands of datagrams of 64 bytes a second that arrive while the client sends as fast as it can.
pub(crate) fn datagrams(home: &Home, time: Duration) -> f64 {
    let socket =
        home.outside.enter(|| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).expect("the port is free"));
    socket.set_read_timeout(Some(Duration::from_millis(300))).expect("a timeout can be set");
    let arrived = thread::scope(|scope| {
        let server = scope.spawn(|| {
            pin(1);
            count_datagrams(&socket, Deadline::after(time + PATIENCE))
        });
        home.client().enter(|| {
            pin(0);
            let sender = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a port is free");
            sender.connect((server_address(), PORT)).expect("the client has a route");
            let deadline = Deadline::after(time);
            while !deadline.passed() {
                for _ in 0..64 {
                    // A full queue is a lost datagram, and that is part of the figure.
                    let _ = sender.send(&[0x5a; 64]);
                }
            }
        });
        server.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    float(arrived) / time.as_secs_f64() / 1e3
}

/// Counts until nothing has come for a while.
fn count_datagrams(socket: &UdpSocket, end: Deadline) -> usize {
    let mut buffer = [0; 2048];
    let mut arrived = 0;
    while !end.passed() {
        match socket.recv(&mut buffer) {
            Ok(_) => arrived += 1,
            Err(error) if error.kind() == ErrorKind::WouldBlock && arrived > 0 => break,
            Err(_) => {}
        }
    }
    arrived
}

/// Thousands of TCP connections a second, one after the other, each closed by a reset so that none lingers.
pub(crate) fn connections(home: &Home) -> f64 {
    let listener = listen(home);
    thread::scope(|scope| {
        scope.spawn(|| {
            pin(1);
            for _ in 0..CONNECTIONS {
                // Fails by the listener's timeout where the client has given up.
                if listener.accept().is_err() {
                    return;
                }
            }
        });
        home.client().enter(|| {
            pin(0);
            let address = SocketAddr::from((server_address(), PORT));
            let limit = Duration::from_mins(1);
            let end = Deadline::after(limit);
            for _ in 0..CONNECTIONS {
                let stream = TcpStream::connect_timeout(&address, PATIENCE).expect("the path carries TCP");
                reset_on_close(&stream);
                assert!(!end.passed(), "{CONNECTIONS} connections take no minute");
            }
            f64::from(CONNECTIONS) / limit.saturating_sub(end.left()).as_secs_f64() / 1e3
        })
    })
}

fn reset_on_close(stream: &TcpStream) {
    let at_once = nix::libc::linger { l_onoff: 1, l_linger: 0 };
    setsockopt(stream, sockopt::Linger, &at_once).expect("a socket can be closed by a reset");
}

/// Keeps the calling thread on one processor, where there are several: client and server never share one.
fn pin(processor: usize) {
    let mut set = CpuSet::new();
    if thread::available_parallelism().is_ok_and(|count| count.get() > 1) && set.set(processor).is_ok() {
        let _ = sched_setaffinity(Pid::from_raw(0), &set);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure of three digits")]
fn float(count: usize) -> f64 {
    count as f64
}
