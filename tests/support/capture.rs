//! A wire as a host sees it: tcpdump on the host's own device, read by tshark. Nothing of this project's code is
//! involved, so what is read here is independent evidence.

use std::net::{Ipv4Addr, UdpSocket};

use super::deadline::Deadline;
use super::namespace::Namespace;
use super::process::{self, Process, command};
use super::requirement::Requirement;
use super::scratch::Scratch;

pub const REQUIREMENTS: [Requirement; 2] = [Requirement::Program("tcpdump"), Requirement::Program("tshark")];

/// Sent over the wire when a capture ends: once it is in the capture, so is everything before it.
const LAST_WORD: &[u8] = b"quirknat: the capture ends here";
const DISCARD: u16 = 9;

pub struct Capture<'a> {
    tcpdump: Process,
    namespace: &'a Namespace,
}

/// One packet of interest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub source: String,
    pub destination: String,
    pub source_port: u16,
    pub destination_port: u16,
    /// The first packet of a connection.
    pub opens: bool,
    /// `PORT 192,168,1,100,65,43` or `227 Entering …`; empty for a packet without FTP.
    pub line: String,
}

impl<'a> Capture<'a> {
    /// Begins to listen for SYNs and for everything on the control port.
    pub fn start(namespace: &'a Namespace, device: &str, control: u16) -> Self {
        let mut tcpdump = command("tcpdump");
        tcpdump.args(["-i", device, "-n", "-U", "--immediate-mode", "-w", "-"]);
        // With the default snapshot length the kernel's buffer has room for eight packets only.
        tcpdump.args(["-s", "2048", "-B", "8192"]);
        let filter = format!("tcp port {control} or tcp[tcpflags] & tcp-syn != 0 or udp dst port {DISCARD}");
        tcpdump.arg(filter);
        let mut tcpdump = namespace.start("tcpdump", tcpdump);
        tcpdump
            .wait_stderr("listening tcpdump", Deadline::seconds(10), |text| contains(text, b"listening on"));
        Self { tcpdump, namespace }
    }

    /// Ends it, and tells what was seen, in order.
    pub fn finish(mut self, scratch: &Scratch, control: u16) -> Vec<Seen> {
        self.namespace.enter(|| {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a port is free");
            // An address nobody has (RFC 5737): it leaves by the default route and ends at the router.
            let _ = socket.send_to(LAST_WORD, ("192.0.2.1", DISCARD));
        });
        let deadline = Deadline::seconds(10);
        self.tcpdump.wait_stdout("last word", deadline, |capture| contains(capture, LAST_WORD));
        self.tcpdump.signal(nix::sys::signal::Signal::SIGINT);
        let captured = self.tcpdump.finish(Deadline::seconds(5));
        let complete = captured.stderr.lines().any(|line| line == "0 packets dropped by kernel");
        assert!(complete, "the capture has holes, so it proves nothing: {}", captured.stderr);
        let file = scratch.write("wire.pcap", &captured.stdout);
        read(&file, control)
    }
}

fn read(file: &std::path::Path, control: u16) -> Vec<Seen> {
    let mut tshark = command("tshark");
    tshark.arg("-n").arg("-r").arg(file).args(["-d", &format!("tcp.port=={control},ftp")]);
    tshark.args([
        "-Y",
        "tcp && !tcp.analysis.retransmission",
        "-T",
        "fields",
        "-E",
        "separator=/t",
        "-E",
        "aggregator=|",
    ]);
    for field in [
        "ip.src",
        "ip.dst",
        "tcp.srcport",
        "tcp.dstport",
        "tcp.flags",
        "ftp.request.command",
        "ftp.request.arg",
        "ftp.response.code",
        "ftp.response.arg",
    ] {
        tshark.args(["-e", field]);
    }
    let finished = process::run("tshark", tshark, 60);
    assert!(finished.code() == Some(0), "tshark: {}", finished.story());
    finished.text().lines().map(parse).collect()
}

fn parse(line: &str) -> Seen {
    const SYN_AND_ACK: u16 = 0x12;
    const SYN: u16 = 0x02;
    let fields: Vec<&str> = line.split('\t').collect();
    let [source, destination, source_port, destination_port, flags, command, argument, code, text] =
        fields[..]
    else {
        panic!("tshark wrote {line:?}")
    };
    let flags = u16::from_str_radix(flags.trim_start_matches("0x"), 16).expect("flags are hexadecimal");
    let said = if command.is_empty() { [code, text] } else { [command, argument] };
    Seen {
        source: source.to_owned(),
        destination: destination.to_owned(),
        source_port: source_port.parse().expect("a port"),
        destination_port: destination_port.parse().expect("a port"),
        opens: flags & SYN_AND_ACK == SYN,
        line: said.join(" ").trim().to_owned(),
    }
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}
