//! Announcements in packets that are damaged, cut or contradict one another.

use super::super::conversation::{Damage, Ip, Segment, TcpOption};
use super::super::packets::{ACK, End, FIN, PSH, URG};
use super::super::scene::{SERVER, Scene};
use super::{Case, PORT, case, logged_in, transfer};

use End::{Lan, Wan};

pub(super) fn cases() -> Vec<Case> {
    vec![
        in_packet("31", "a wrong TCP checksum", |ip| ip.damage = Damage::Checksum),
        in_packet("31a", "a wrong header checksum", |ip| ip.damage = Damage::Header),
        in_packet("31b", "a packet that is cut off", |ip| ip.damage = Damage::Short(1)),
        in_packet("31c", "octets behind the packet", |ip| ip.damage = Damage::Long(3)),
        in_packet("31d", "in two fragments", |ip| ip.cuts = vec![4]),
        in_packet("31e", "in fragments, the last one first", |ip| {
            ip.cuts = vec![1, 3, 4];
            ip.order = vec![3, 1, 2, 0];
        }),
        in_packet("31f", "in fragments that overlap", |ip| {
            ip.cuts = vec![3, 4];
            ip.order = vec![0, 1, 1, 2];
        }),
        in_packet("31g", "with IP options", |ip| ip.options = vec![1, 1, 1, 0]),
        in_packet("31h", "with a time to live that ends here", |ip| ip.ttl = 1),
        in_segment("31i", "with TCP options", |segment| {
            segment.options = vec![TcpOption::Nop, TcpOption::Nop, TcpOption::Timestamps(1, 2)];
        }),
        in_segment("31j", "with URG", |segment| (segment.flags, segment.urgent) = (PSH | ACK | URG, 4)),
        in_segment("31k", "with FIN", |segment| segment.flags = FIN | PSH | ACK),
        in_segment("31l", "with a NUL in it", |segment| segment.payload[6] = 0),
        in_segment("31m", "without ACK", |segment| segment.flags = PSH),
        case("31n", "overlapping segments with other digits", |scene| {
            let control = logged_in(scene);
            let at = "USER anonymous\r\nPASS guest\r\n".len();
            scene.send(control, Lan, PORT);
            scene.on(control, |script| script.send_at(Lan, at, b"PORT 192,168,1,100,195,99\r\n"));
            scene.on(control, |script| script.send_at(Lan, at + 5, b"192,168,1,100,195,77\r\n"));
            transfer(scene, control);
        }),
        case("31o", "a line of 500 octets", |scene| {
            let control = logged_in(scene);
            scene.say(control, Lan, &format!("PORT 192,168,1,100,195,80{}\r\n", " ".repeat(473)));
            scene.say(control, Lan, &format!("{}\r\n", "PORT".repeat(125)));
            transfer(scene, control);
        }),
        case("31p", "segments that come in the wrong order", |scene| {
            let control = logged_in(scene);
            scene.send(control, Lan, PORT);
            scene.send(control, Lan, "LIST\r\n");
            scene.reverse(2);
            transfer(scene, control);
        }),
        case("31q", "a SACK block over what was rewritten", |scene| {
            let control = logged_in(scene);
            scene.send(control, Lan, PORT);
            scene.send(control, Lan, "NOOP\r\n");
            scene.send(control, Lan, "LIST\r\n");
            scene.on(control, |script| script.acknowledge(Wan));
            scene.change(|segment| {
                segment.ack = -12;
                segment.options =
                    vec![TcpOption::Nop, TcpOption::Nop, TcpOption::Sack(vec![(-6, 0), (-37, -30)])];
            });
            let data = scene.data(control, (SERVER, 20));
            scene.on(data, |script| script.handshake(Wan));
        }),
    ]
}

fn in_packet(number: &'static str, name: &'static str, change: impl FnOnce(&mut Ip)) -> Case {
    announced_in(number, name, |scene| scene.change_ip(change))
}

fn in_segment(number: &'static str, name: &'static str, change: impl FnOnce(&mut Segment)) -> Case {
    announced_in(number, name, |scene| scene.change(change))
}

/// A PORT in a packet that is changed, then the data SYN that it would let in, and the same PORT as it should be.
fn announced_in(number: &'static str, name: &'static str, change: impl FnOnce(&mut Scene)) -> Case {
    case(number, name, |scene| {
        let control = logged_in(scene);
        scene.send(control, Lan, PORT);
        change(scene);
        let data = scene.data(control, (SERVER, 2020));
        scene.on(data, |script| script.handshake(Wan));
        let at = "USER anonymous\r\nPASS guest\r\n".len();
        scene.on(control, |script| script.send_at(Lan, at, PORT.as_bytes()));
        transfer(scene, control);
    })
}
