//! Conversations without FTP.

use std::net::Ipv4Addr;

use super::super::conversation::{Error, What};
use super::super::packets::{ACK, End, FIN, LAN_ADDRESS, RST, SYN, WAN_ADDRESS};
use super::super::scene::{CLIENT, NEIGHBOUR, SERVER, STRANGER, Scene};
use super::{Case, case, case_in};

use End::{Lan, Wan};

pub(super) fn cases() -> Vec<Case> {
    [tcp(), datagrams(), queries(), errors(), fragments()].into_iter().flatten().collect()
}

fn web(scene: &mut Scene) -> usize {
    scene.flow((CLIENT, 40000), (SERVER, 80))
}

fn open_web(scene: &mut Scene) -> usize {
    let flow = web(scene);
    scene.on(flow, |script| script.handshake(Lan));
    flow
}

fn tcp() -> Vec<Case> {
    vec![
        case("a1", "a TCP connection from its SYN to its last ACK", |scene| {
            let flow = open_web(scene);
            scene.say(flow, Lan, "GET /\r\n");
            scene.say(flow, Wan, "200\r\n");
            scene.on(flow, |script| script.finish(Wan));
            scene.on(flow, |script| script.handshake(Lan));
        }),
        case("a2", "a connection that is reset, and segments after it", |scene| {
            let flow = open_web(scene);
            scene.on(flow, |script| script.reset(Wan));
            scene.say(flow, Lan, "GET /\r\n");
            scene.say(flow, Wan, "200\r\n");
        }),
        case("a3", "a reset far outside the window", |scene| {
            let flow = open_web(scene);
            scene.on(flow, |script| script.put(Wan, RST, 900_000, Vec::new(), Vec::new()));
            scene.say(flow, Wan, "200\r\n");
        }),
        case("a4", "a SYN that nobody wants", |scene| {
            let flow = scene.flow((CLIENT, 40000), (SERVER, 80));
            scene.on(flow, |script| script.handshake(Wan));
        }),
        case("a5", "segments in mid-stream, from either end first", |scene| {
            for (port, first) in [(40000, Lan), (40001, Wan)] {
                let flow = scene.flow((CLIENT, port), (SERVER, 80));
                for from in [first, first.other(), first] {
                    scene.say(flow, from, "hello");
                }
            }
        }),
        case("a6", "flags that cannot be", |scene| {
            let flow = open_web(scene);
            for flags in [0, SYN | FIN, SYN | RST, FIN, 0xff, SYN | ACK, SYN] {
                scene.on(flow, |script| script.put(Lan, flags, 0, Vec::new(), Vec::new()));
                scene.on(flow, |script| script.put(Wan, flags, 0, Vec::new(), Vec::new()));
            }
            scene.say(flow, Wan, "200\r\n");
        }),
        case("a7", "data before and beyond the window", |scene| {
            let flow = open_web(scene);
            for offset in [70_000, 200_000] {
                scene.on(flow, |script| script.send_at(Wan, offset, b"hello"));
            }
            scene.on(flow, |script| script.put(Wan, ACK, -100_000, Vec::new(), b"hello".to_vec()));
            scene.say(flow, Wan, "hello");
        }),
        case("a8", "two hosts with one port to one server", |scene| {
            for host in [CLIENT, NEIGHBOUR] {
                let flow = scene.flow((host, 40000), (SERVER, 80));
                scene.on(flow, |script| script.handshake(Lan));
                scene.say(flow, Wan, "200\r\n");
            }
        }),
        case("a9", "one port to two servers", |scene| {
            for server in [SERVER, STRANGER] {
                let flow = scene.flow((CLIENT, 40000), (server, 80));
                scene.on(flow, |script| script.handshake(Lan));
            }
        }),
        case("a10", "a server behind the router", |scene| {
            let flow = scene.flow((NEIGHBOUR, 2100), (SERVER, 1024));
            scene.on(flow, |script| script.handshake(Wan));
            scene.say(flow, Lan, "hello");
            scene.on(flow, |script| script.finish(Lan));
        }),
        case("a11", "a SYN to the router itself", |scene| {
            for (address, from) in [(LAN_ADDRESS, Lan), (WAN_ADDRESS, Lan), (WAN_ADDRESS, Wan)] {
                let flow = scene.flow((CLIENT, 40000), (if from == Lan { address } else { SERVER }, 8080));
                scene.on(flow, |script| script.put(from, SYN, -1, Vec::new(), Vec::new()));
                scene.on(flow, |script| script.put(from, ACK, 10, Vec::new(), b"hello".to_vec()));
            }
        }),
    ]
}

fn datagram(length: usize) -> What {
    What::Datagram { payload: (0..=250).cycle().take(length).collect(), checksum: true }
}

fn datagrams() -> Vec<Case> {
    vec![
        case("b0", "all ports of a range are taken towards one remote, and one more is wanted", |scene| {
            for (host, port) in
                (600..=1023).map(|port| (CLIENT, port)).chain([(NEIGHBOUR, 700), (NEIGHBOUR, 80)])
            {
                let udp = scene.flow((host, port), (SERVER, 53));
                scene.step(udp, Lan, datagram(12));
                scene.step(udp, Wan, datagram(12));
            }
        }),
        case("b1", "a datagram and its answers", |scene| {
            let flow = scene.flow((CLIENT, 5300), (SERVER, 53));
            for from in [Lan, Wan, Wan, Lan] {
                scene.step(flow, from, datagram(12));
            }
        }),
        case("b2", "a datagram without a checksum, and with an odd length", |scene| {
            let flow = scene.flow((CLIENT, 5300), (SERVER, 53));
            for from in [Lan, Wan] {
                scene.step(flow, from, What::Datagram { payload: b"odd".to_vec(), checksum: false });
                scene.step(flow, from, datagram(13));
            }
        }),
        case("b3", "answers from elsewhere", |scene| {
            let flow = scene.flow((CLIENT, 5300), (SERVER, 53));
            scene.step(flow, Lan, datagram(12));
            for remote in [(SERVER, 54), (STRANGER, 53)] {
                let other = scene.flow((CLIENT, 5300), remote);
                scene.step(other, Wan, datagram(12));
            }
        }),
        case("b4", "two hosts with one port to one server", |scene| {
            for host in [CLIENT, NEIGHBOUR] {
                let flow = scene.flow((host, 5300), (SERVER, 53));
                scene.step(flow, Lan, datagram(12));
                scene.step(flow, Wan, datagram(12));
            }
        }),
        case("b5", "a forwarded port", |scene| {
            let flow = scene.flow((CLIENT, 5000), (SERVER, 999));
            scene.step(flow, Wan, datagram(12));
            scene.step(flow, Lan, datagram(12));
        }),
        case("b6", "a datagram to the router itself", |scene| {
            let flow = scene.flow((CLIENT, 5300), (LAN_ADDRESS, 9));
            scene.step(flow, Lan, datagram(12));
            let flow = scene.flow((CLIENT, 5300), (SERVER, 9));
            scene.step(flow, Wan, datagram(12));
        }),
    ]
}

fn queries() -> Vec<Case> {
    let query = |kind| What::Query { kind, sequence: 1, payload: b"abcdefgh".to_vec() };
    vec![
        case("c1", "a ping and its answers", |scene| {
            let flow = scene.flow((CLIENT, 77), (SERVER, 0));
            for (from, kind) in [(Lan, 8), (Wan, 0), (Wan, 0), (Lan, 8)] {
                scene.step(flow, from, query(kind));
            }
        }),
        case("c2", "two hosts with one identifier", |scene| {
            for host in [CLIENT, NEIGHBOUR] {
                let flow = scene.flow((host, 77), (SERVER, 0));
                scene.step(flow, Lan, query(8));
                scene.step(flow, Wan, query(0));
            }
        }),
        case("c3", "pings to the router", |scene| {
            let flow = scene.flow((CLIENT, 77), (LAN_ADDRESS, 0));
            scene.step(flow, Lan, query(8));
            let flow = scene.flow((CLIENT, 77), (WAN_ADDRESS, 0));
            scene.step(flow, Lan, query(8));
            let flow = scene.flow((CLIENT, 77), (SERVER, 0));
            scene.step(flow, Wan, query(8));
        }),
        case("c4", "answers that nobody asked for", |scene| {
            let flow = scene.flow((CLIENT, 77), (SERVER, 0));
            scene.step(flow, Wan, query(0));
            scene.step(flow, Lan, query(0));
        }),
        case("c5", "timestamps, address masks and other messages", |scene| {
            let flow = scene.flow((CLIENT, 77), (SERVER, 0));
            for (from, kind) in [(Lan, 13), (Wan, 14), (Lan, 17), (Wan, 18), (Lan, 15), (Wan, 16), (Lan, 42)]
            {
                scene.step(flow, from, query(kind));
            }
        }),
    ]
}

fn error(kind: u8, code: u8, quoted: usize) -> What {
    What::Error(Error { kind, code, rest: 0, about: 0, quoted, from: None, changed: None })
}

fn errors() -> Vec<Case> {
    vec![
        case("d1", "errors from outside about TCP, UDP and a ping", |scene| {
            let tcp = open_web(scene);
            let udp = scene.flow((CLIENT, 5300), (SERVER, 53));
            let echo = scene.flow((CLIENT, 77), (SERVER, 0));
            let ping = What::Query { kind: 8, sequence: 1, payload: Vec::new() };
            scene.step(tcp, Wan, error(3, 1, 28));
            scene.step(udp, Lan, datagram(12));
            scene.step(udp, Wan, error(3, 3, 1500));
            scene.step(echo, Lan, ping);
            scene.step(echo, Wan, error(11, 0, 28));
        }),
        case("d2", "errors from a router on the way", |scene| {
            let udp = scene.flow((CLIENT, 5300), (SERVER, 53));
            scene.step(udp, Lan, datagram(12));
            let from = Some(Ipv4Addr::new(198, 51, 100, 254));
            for (kind, code, rest) in [(11, 0, 0), (3, 4, 1400), (12, 0, 0x0400_0000), (4, 0, 0), (5, 1, 0)] {
                let error = Error { kind, code, rest, about: 0, quoted: 40, from, changed: None };
                scene.step(udp, Wan, What::Error(error));
            }
        }),
        case("d3", "errors from the LAN", |scene| {
            let udp = scene.flow((CLIENT, 5300), (SERVER, 53));
            scene.step(udp, Lan, datagram(12));
            scene.step(udp, Wan, datagram(12));
            scene.step(udp, Lan, error(3, 3, 1500));
            let from = Some(NEIGHBOUR);
            let error = Error { kind: 11, code: 0, rest: 0, about: 0, quoted: 40, from, changed: None };
            scene.step(udp, Lan, What::Error(error));
        }),
        case("d4", "errors about nothing, and with quotes that are too short", |scene| {
            let udp = scene.flow((CLIENT, 5300), (SERVER, 53));
            scene.step(udp, Lan, datagram(12));
            for quoted in [0, 8, 20, 27] {
                scene.step(udp, Wan, error(3, 3, quoted));
            }
            let changed = Some((21, 1));
            let error = Error { kind: 3, code: 3, rest: 0, about: 0, quoted: 40, from: None, changed };
            scene.step(udp, Wan, What::Error(error));
        }),
        case("d5", "an error about a rewritten segment", |scene| {
            let control = super::logged_in(scene);
            scene.say(control, Lan, super::PORT);
            scene.send(control, Lan, "LIST\r\n");
            scene.step(control, Wan, error(3, 4, 40));
            scene.step(control, Wan, error(11, 0, 1500));
        }),
        case("d6", "times to live that end at the router", |scene| {
            let udp = scene.flow((CLIENT, 5300), (SERVER, 53));
            scene.step(udp, Lan, datagram(12));
            for (from, length) in [(Lan, 12), (Wan, 12), (Lan, 1000), (Wan, 1000)] {
                for ttl in [0, 1] {
                    scene.step(udp, from, datagram(length));
                    scene.change_ip(|ip| ip.ttl = ttl);
                }
            }
        }),
        case_in("d7", "packets too large for the WAN, DF set", Scene::new().with_wan_mtu(576), |scene| {
            let udp = scene.flow((CLIENT, 5300), (SERVER, 53));
            for length in [548, 549, 1400] {
                scene.step(udp, Lan, datagram(length));
                scene.change_ip(|ip| ip.dont_fragment = true);
            }
        }),
    ]
}

fn fragments() -> Vec<Case> {
    vec![
        case("e1", "a datagram in fragments, either way", |scene| {
            let udp = scene.flow((CLIENT, 5300), (SERVER, 53));
            for from in [Lan, Wan] {
                scene.step(udp, from, datagram(3000));
                scene.change_ip(|ip| ip.cuts = vec![185, 370]);
            }
        }),
        case("e2", "in another order", |scene| {
            let udp = scene.flow((CLIENT, 5300), (SERVER, 53));
            scene.step(udp, Lan, datagram(3000));
            scene.change_ip(|ip| (ip.cuts, ip.order) = (vec![100, 200], vec![2, 0, 1]));
        }),
        case("e3", "one fragment twice, one never", |scene| {
            let udp = scene.flow((CLIENT, 5300), (SERVER, 53));
            scene.step(udp, Lan, datagram(3000));
            scene.change_ip(|ip| (ip.cuts, ip.order) = (vec![100, 200], vec![0, 0, 1, 1, 2]));
            scene.step(udp, Lan, datagram(3000));
            scene.change_ip(|ip| (ip.cuts, ip.order) = (vec![100, 200], vec![0, 2]));
        }),
        case_in("e4", "a packet that is too large for the WAN", Scene::new().with_wan_mtu(576), |scene| {
            let udp = scene.flow((CLIENT, 5300), (SERVER, 53));
            scene.step(udp, Lan, datagram(1400));
            scene.step(udp, Wan, datagram(1400));
            scene.step(udp, Lan, datagram(1400));
            scene.change_ip(|ip| ip.cuts = vec![100]);
        }),
        case("e5", "small fragments, some with DF", |scene| {
            let udp = scene.flow((CLIENT, 5300), (SERVER, 53));
            for dont_fragment in [false, true] {
                scene.step(udp, Lan, datagram(60));
                scene.change_ip(|ip| (ip.cuts, ip.dont_fragment) = (vec![1, 2, 5], dont_fragment));
            }
        }),
        case("e6", "a ping in fragments, to a server and to the router", |scene| {
            for address in [SERVER, LAN_ADDRESS] {
                let echo = scene.flow((CLIENT, 77), (address, 0));
                scene.step(echo, Lan, What::Query { kind: 8, sequence: 1, payload: vec![7; 2000] });
                scene.change_ip(|ip| ip.cuts = vec![100]);
            }
        }),
    ]
}
