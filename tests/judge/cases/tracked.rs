//! What tracking and the gateway make of one another: a control connection that is not as it should be, and what belongs
//! to one without being a segment of it.

use super::super::conversation::{Error, TcpOption, What};
use super::super::packets::{ACK, End, FIN, PSH, RST, SYN};
use super::super::scene::{CLIENT, SERVER, Scene};
use super::{Case, PORT, case, log_in, logged_in, transfer};

use End::{Lan, Wan};

/// As long as the one of most cases is when it has left.
const SAME_LENGTH: &str = "PORT 192,168,1,100,3,9\r\n";

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("33", "a SYN within a connection that goes on", |scene| {
            let control = announced(scene);
            scene.on(control, |script| script.put(Lan, SYN, 7, Vec::new(), Vec::new()));
            scene.say(control, Lan, SAME_LENGTH);
            transfer(scene, control);
        }),
        case("33a", "a SYN,ACK within a connection whose numbers are adjusted", |scene| {
            let control = announced(scene);
            scene.on(control, |script| script.put(Wan, SYN | ACK, 0, Vec::new(), Vec::new()));
            scene.on(control, |script| script.put(Lan, SYN | ACK, 0, Vec::new(), Vec::new()));
            transfer(scene, control);
        }),
        case("33b", "a command before anything has come back", |scene| {
            let control = scene.flow((CLIENT, 1024), (SERVER, 21));
            scene.on(control, |script| script.put(Lan, ACK, -1, Vec::new(), Vec::new()));
            scene.send(control, Lan, "NOOP\r\n");
            scene.send(control, Lan, PORT);
            scene.on(control, |script| script.acknowledge(Wan));
            scene.send(control, Lan, "NOOP\r\n");
            scene.send(control, Lan, PORT);
            transfer(scene, control);
        }),
        case("33c", "a reply in a SYN,ACK", |scene| {
            let control = scene.flow((CLIENT, 1024), (SERVER, 21));
            scene.on(control, |script| script.put(Lan, SYN, -1, Vec::new(), Vec::new()));
            scene.on(control, |script| {
                script.put(Wan, SYN | ACK, -1, Vec::new(), b"220 ready\r\n".to_vec());
                script.put(Lan, ACK, 0, Vec::new(), Vec::new());
                script.put(Wan, PSH | ACK, 10, Vec::new(), b"227 (198,051,100,009,004,210)\r\n".to_vec());
            });
        }),
        case("33d", "a reset without ACK where numbers are adjusted", |scene| {
            let control = announced(scene);
            scene.on(control, |script| script.put(Wan, RST, 0, Vec::new(), Vec::new()));
        }),
        case("33e", "malformed TCP options where numbers are adjusted", |scene| {
            let control = announced(scene);
            scene.on(control, |script| script.acknowledge(Wan));
            scene.change(|segment| segment.options = vec![TcpOption::Raw(vec![76, 0, 227, 1])]);
            scene.send(control, Lan, "LIST\r\n");
            scene.change(|segment| segment.options = vec![TcpOption::Raw(vec![1, 1, 1, 8])]);
            scene.on(control, |script| script.put(Lan, FIN, 0, Vec::new(), Vec::new()));
            scene.change(|segment| segment.options = vec![TcpOption::Raw(vec![1, 1, 1, 8])]);
        }),
        case("33f", "SACK blocks in two options, at odd places", |scene| {
            let control = announced(scene);
            scene.send(control, Lan, "LIST\r\n");
            scene.on(control, |script| script.acknowledge(Wan));
            scene.change(|segment| {
                segment.options =
                    vec![TcpOption::Nop, TcpOption::Sack(vec![(-6, 0)]), TcpOption::Sack(vec![(-40, -30)])];
            });
        }),
    ]
    .into_iter()
    .chain(errors_and_ends())
    .collect()
}

/// What is no segment of the connection, and what ends it or its forward.
fn errors_and_ends() -> Vec<Case> {
    vec![
        an_error("33g", "an error from the LAN about a connection that is adjusted", Lan, 48),
        an_error("33h", "one that quotes no more than eight octets", Lan, 28),
        an_error("33i", "one from the WAN", Wan, 48),
        case("33j", "the router's own error about one", |scene| {
            let control = announced(scene);
            scene.send(control, Wan, "200 PORT ok\r\n");
            scene.change_ip(|ip| ip.ttl = 1);
            scene.send(control, Lan, "LIST\r\n");
            scene.change_ip(|ip| ip.ttl = 1);
        }),
        case("33k", "an EPRT and a 229 that end with their last delimiter", |scene| {
            let control = logged_in(scene);
            scene.say(control, Lan, "EPRT |1|192.168.1.100|50000|");
            scene.say(control, Lan, "\r\n");
            scene.say(control, Wan, "229 Extended Passive Mode (|||50001|");
            scene.say(control, Wan, ")\r\n");
            scene.say(control, Lan, "EPRT |1|192.168.1.2|0|\r\n");
            transfer(scene, control);
        }),
        case("33l", "a FIN to the announced port, then a SYN", |scene| {
            let control = announced(scene);
            let data = scene.data(control, (SERVER, 20));
            scene.on(data, |script| script.put(Wan, FIN | ACK, 0, Vec::new(), Vec::new()));
            scene.on(data, |script| script.handshake(Wan));
        }),
        case("33n", "a port 0 after a port, and a transfer to that", |scene| {
            let control = announced(scene);
            scene.send(control, Lan, "PORT 192,168,1,100,0,0\r\n");
            transfer(scene, control);
        }),
        case("33o", "a reset after a repeated SYN, and an acknowledgement that answered neither", |scene| {
            let plain = scene.flow((CLIENT, 1025), (SERVER, 80));
            scene.on(plain, |script| script.put(Lan, SYN, -1, Vec::new(), Vec::new()));
            scene.on(plain, |script| script.put(Wan, ACK, 0, Vec::new(), Vec::new()));
            scene.on(plain, |script| script.put(Lan, SYN, -1, Vec::new(), Vec::new()));
            scene.on(plain, |script| script.put(Lan, RST | ACK, -1, Vec::new(), Vec::new()));
        }),
        case("33p", "an ICMP error in fragments that are pulled together", |scene| {
            let plain = scene.flow((CLIENT, 1025), (SERVER, 80));
            scene.on(plain, |script| script.handshake(Lan));
            scene.send(plain, Lan, "GET / HTTP/1.1\r\n");
            for cuts in [vec![1], vec![3], vec![4], vec![5]] {
                scene.step(plain, Wan, What::Error(unreachable(56)));
                scene.change_ip(|ip| ip.cuts = cuts);
            }
        }),
        case("33m", "a server behind it: an error on the way its client's segments go", |scene| {
            let control = scene.flow((CLIENT, 21), (SERVER, 1024));
            log_in(scene, control, Wan);
            scene.say(control, Lan, "227 Entering Passive Mode (192,168,1,100,195,80)\r\n");
            scene.step(control, Wan, What::Error(unreachable(48)));
            scene.step(control, Lan, What::Error(unreachable(48)));
        }),
    ]
}

/// A control connection on which a PORT has become shorter.
fn announced(scene: &mut Scene) -> usize {
    let control = logged_in(scene);
    scene.say(control, Lan, PORT);
    control
}

fn an_error(number: &'static str, name: &'static str, from: End, quoted: usize) -> Case {
    case(number, name, |scene| {
        let control = announced(scene);
        scene.say(control, Wan, "200 PORT ok\r\n");
        scene.step(control, from, What::Error(unreachable(quoted)));
        transfer(scene, control);
    })
}

fn unreachable(quoted: usize) -> Error {
    Error { kind: 3, code: 4, rest: 1400, about: 0, quoted, from: None, changed: None }
}
