//! A server on the LAN, its control port forwarded: what becomes of the replies that announce its address.

use quirknat_alg::{Command, LeftAlone};
use quirknat_router::event::EventKind;

use crate::support::{LAN, Lab, WAN, at, tcp};

const REPLY: &str = "227 Entering Passive Mode (192,168,1,100,158,26).\r\n";

/// A client outside connects to the server through the router's `port`; the server then sends the reply.
fn reply_through(lab: &mut Lab, port: u16) -> String {
    let (client, outside) = ("198.51.100.50:4000", format!("203.0.113.7:{port}"));
    lab.from_wan(tcp(client, &outside).seq(99).syn().packet());
    lab.from_lan(tcp("192.168.1.100:21", client).seq(499).ack(100).syn().packet());
    lab.from_wan(tcp(client, &outside).seq(100).ack(500).data("PASV\r\n").packet());
    lab.events();
    lab.from_lan(tcp("192.168.1.100:21", client).seq(500).ack(106).data(REPLY).packet()).text()
}

fn behind(port: u16, commands: &[Command]) -> Lab {
    Lab::with(|profile, config| {
        config.forwards = vec![format!("tcp/{port}=192.168.1.100:21").parse().unwrap()];
        profile.alg.ftp.commands.value = commands.to_vec();
    })
}

fn reason(lab: &mut Lab) -> Option<LeftAlone> {
    lab.events().into_iter().find_map(|event| match event {
        EventKind::CommandLeftAlone { reason, line, .. } => {
            assert_eq!(line.as_deref(), Some(REPLY.trim_end()));
            Some(reason)
        }
        _ => None,
    })
}

/// The article's `server-pasv-leaks`, and case 29.
#[test]
fn the_reply_leaks_the_servers_address_on_any_port() {
    for (port, expected) in [(21, LeftAlone::CommandNotInDialect), (2121, LeftAlone::NotAControlPort)] {
        let mut lab = behind(port, &[Command::Port]);
        assert_eq!(reply_through(&mut lab, port), REPLY);
        assert_eq!(reason(&mut lab), Some(expected));
    }
}

/// Case 29, in a dialect that knows the reply.
#[test]
fn a_gateway_that_rewrites_the_reply_opens_what_it_announces() {
    let mut lab = behind(21, &[Command::Port, Command::Reply227]);
    assert_eq!(reply_through(&mut lab, 21), "227 Entering Passive Mode (203,0,113,7,158,26).\r\n");
    let data = lab.from_wan(tcp("198.51.100.50:4001", "203.0.113.7:40474").syn().packet());
    assert_eq!((data.on, data.to()), (LAN, at("192.168.1.100:40474")));
    // The announcement shrank by two: the client's acknowledgements grow by two.
    let end = 500 + u32::try_from(REPLY.len()).unwrap();
    let ack = lab.from_wan(tcp("198.51.100.50:4000", "203.0.113.7:21").seq(106).ack(end - 2).packet());
    assert_eq!((ack.on, ack.acknowledgement()), (LAN, end));
}

#[test]
fn a_command_from_a_client_outside_passes() {
    let mut lab = behind(21, &[Command::Port]);
    reply_through(&mut lab, 21);
    let port = "PORT 198,51,100,50,65,43\r\n";
    let seen =
        lab.from_wan(tcp("198.51.100.50:4000", "203.0.113.7:21").seq(106).ack(550).data(port).packet());
    assert_eq!((seen.on, seen.text().as_str()), (LAN, port));
    // The article's `server-port-mode`: the server dials out.
    assert_eq!(lab.from_lan(tcp("192.168.1.100:20", "198.51.100.50:16683").syn().packet()).on, WAN);
}
