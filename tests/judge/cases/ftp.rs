//! Announcements, what they become, and what comes through the forwards they open.

use std::net::Ipv4Addr;

use super::super::conversation::What;
use super::super::packets::{End, SHORT_LAN_ADDRESS};
use super::super::scene::{CLIENT, NEIGHBOUR, SERVER, STRANGER, Scene};
use super::{Case, PORT, case, case_in, log_in, logged_in, transfer};

use End::{Lan, Wan};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        after_login("1", "PORT on port 21 is rewritten and forwarded", PORT),
        case("2", "PORT to port 2121 is left alone and opens nothing", |scene| {
            let control = scene.flow((CLIENT, 1024), (SERVER, 2121));
            log_in(scene, control, Lan);
            scene.say(control, Lan, PORT);
            let data = scene.flow((CLIENT, 50000), (SERVER, 20));
            scene.on(data, |script| script.handshake(Wan));
        }),
        case("3", "sequence numbers move, also over the wrap", |scene| {
            let control = scene.flow((CLIENT, 1024), (SERVER, 21));
            scene.begins_at(control, u32::MAX - 60);
            log_in(scene, control, Lan);
            scene.say(control, Lan, PORT);
            transfer(scene, control);
        }),
        case("4", "a PORT that was lost beyond the router and is sent again", |scene| {
            let control = logged_in(scene);
            scene.send(control, Lan, PORT);
            scene.again(control, Lan);
            scene.on(control, |script| script.acknowledge(Wan));
            transfer(scene, control);
        }),
        case("5", "the same with LIST appended", |scene| {
            let control = logged_in(scene);
            let at = "USER anonymous\r\nPASS guest\r\n".len();
            scene.send(control, Lan, PORT);
            scene.on(control, |script| script.send_at(Lan, at, format!("{PORT}LIST\r\n").as_bytes()));
            scene.on(control, |script| script.acknowledge(Wan));
        }),
        case("6", "two announcements in flight, acknowledged one by one", |scene| {
            let control = logged_in(scene);
            scene.send(control, Lan, PORT);
            scene.on(control, |script| script.acknowledge(Wan));
            scene.send(control, Lan, "PORT 192,168,1,100,195,81\r\n");
            scene.on(control, |script| script.acknowledge(Wan));
            scene.on(control, |script| script.acknowledge(Wan));
            scene.change(|segment| segment.ack = -25);
            transfer(scene, control);
        }),
        case_in("7", "a longer result", Scene::new().on_lan(SHORT_LAN_ADDRESS), |scene| {
            let control = scene.flow((Ipv4Addr::new(10, 0, 0, 2), 1024), (SERVER, 21));
            log_in(scene, control, Lan);
            scene.say(control, Lan, "PORT 10,0,0,2,195,80\r\n");
            transfer(scene, control);
        }),
        case("8", "a result of the same length", |scene| {
            let control = scene.flow((Ipv4Addr::new(192, 168, 1, 2), 1024), (SERVER, 21));
            log_in(scene, control, Lan);
            scene.say(control, Lan, "PORT 192,168,1,2,195,80\r\n");
            transfer(scene, control);
        }),
    ];
    cases.extend(segmented());
    cases.extend(spellings());
    cases.extend(ports());
    cases.extend(data_connections());
    cases.extend(replies());
    cases
}

/// Logged in, one message, and what would follow.
fn after_login(number: &'static str, name: &'static str, message: &'static str) -> Case {
    case(number, name, |scene| {
        let control = logged_in(scene);
        scene.say(control, Lan, message);
        transfer(scene, control);
    })
}

fn segmented() -> Vec<Case> {
    let in_pieces = |number, name, pieces: Vec<&'static str>| {
        case(number, name, move |scene| {
            let control = logged_in(scene);
            for piece in pieces {
                scene.say(control, Lan, piece);
            }
            transfer(scene, control);
        })
    };
    vec![
        in_pieces("9", "cut inside the keyword", vec!["POR", "T 192,168,1,100,195,80\r\n"]),
        in_pieces("10", "cut inside the last number", vec!["PORT 192,168,1,100,195,8", "0\r\n"]),
        in_pieces("11", "one octet a segment", (0..PORT.len()).map(|at| &PORT[at..=at]).collect()),
        after_login("12", "behind a NOOP in one segment", "NOOP\r\nPORT 192,168,1,100,195,80\r\n"),
        after_login("13", "before a LIST in one segment", "PORT 192,168,1,100,195,80\r\nLIST\r\n"),
        case("14", "a body that pads until a segment begins with PORT", |scene| {
            let control = scene.flow((CLIENT, 1024), (SERVER, 21));
            scene.on(control, |script| script.handshake(Lan));
            scene.send(control, Lan, "POST / HTTP/1.1\r\nContent-Length: 10000\r\n\r\n");
            scene.send(control, Lan, &"x".repeat(1200));
            scene.on(control, |script| script.acknowledge(Wan));
            scene.send(control, Lan, PORT);
            scene.say(control, Lan, "y\r\n");
            let data = scene.data(control, (SERVER, 20));
            scene.on(data, |script| script.handshake(Wan));
        }),
        case("14a", "the same where the segment before ends a line", |scene| {
            let control = scene.flow((CLIENT, 1024), (SERVER, 21));
            scene.on(control, |script| script.handshake(Lan));
            scene.send(control, Lan, "POST / HTTP/1.1\r\n");
            scene.send(control, Lan, &("x".repeat(1200) + "\n"));
            scene.on(control, |script| script.acknowledge(Wan));
            scene.say(control, Lan, PORT);
            let data = scene.data(control, (SERVER, 20));
            scene.on(data, |script| script.handshake(Wan));
        }),
        case("1a", "PORT as the first thing said", |scene| {
            let control = scene.flow((CLIENT, 1024), (SERVER, 21));
            scene.on(control, |script| script.handshake(Lan));
            scene.say(control, Lan, PORT);
            transfer(scene, control);
        }),
    ]
}

fn spellings() -> Vec<Case> {
    vec![
        after_login("15", "a LAN neighbour's address", "PORT 192,168,1,101,195,80\r\n"),
        after_login("16", "a foreign address", "PORT 198,51,100,10,195,80\r\n"),
        after_login("16a", "the WAN address itself", "PORT 203,0,113,7,195,80\r\n"),
        after_login("17", "port 22", "PORT 192,168,1,100,0,22\r\n"),
        after_login("17a", "port 6000", "PORT 192,168,1,100,23,112\r\n"),
        after_login("17b", "port 0", "PORT 192,168,1,100,0,0\r\n"),
        after_login("18", "numbers left out", "PORT 192,168,1,100,,\r\n"),
        after_login("18a", "no numbers", "PORT\r\n"),
        after_login("18b", "a number too many", "PORT 192,168,1,100,195,80,1\r\n"),
        after_login("18c", "a number over 255", "PORT 192,168,1,100,451,80\r\n"),
        after_login("18d", "no carriage return", "PORT 192,168,1,100,195,80\n"),
        after_login("18e", "two blanks", "PORT  192,168,1,100,195,80\r\n"),
        after_login("18f", "a blank behind", "PORT 192,168,1,100,195,80 \r\n"),
        after_login("19", "leading zeros", "PORT 192,168,001,100,195,080\r\n"),
        after_login("20", "lower case", "port 192,168,1,100,195,80\r\n"),
        after_login("20a", "mixed case", "PoRt 192,168,1,100,195,80\r\n"),
        after_login("21", "REPORT", "REPORT 192,168,1,100,195,80\r\n"),
        after_login("28", "EPRT", "EPRT |1|192.168.1.100|50000|\r\n"),
        after_login("28a", "EPRT with another delimiter", "EPRT !1!192.168.1.100!50000!\r\n"),
        after_login("28b", "EPRT of IPv6", "EPRT |2|fe80::1|50000|\r\n"),
        after_login("28c", "EPRT without its last delimiter", "EPRT |1|192.168.1.100|50000\r\n"),
        after_login("28d", "EPRT with port 0", "EPRT |1|192.168.1.100|0|\r\n"),
        after_login("28e", "EPRT with a port of six digits", "EPRT |1|192.168.1.100|500000|\r\n"),
    ]
}

fn ports() -> Vec<Case> {
    vec![
        case("22", "the port is held by a neighbour's connection to the server", |scene| {
            let held = scene.flow((NEIGHBOUR, 50000), (SERVER, 80));
            scene.on(held, |script| script.handshake(Lan));
            let control = logged_in(scene);
            scene.say(control, Lan, PORT);
            transfer(scene, control);
        }),
        case("22a", "the port is held by a neighbour's connection to the server's port 20", |scene| {
            let held = scene.flow((NEIGHBOUR, 50000), (SERVER, 20));
            scene.on(held, |script| script.handshake(Lan));
            let control = logged_in(scene);
            scene.say(control, Lan, PORT);
            transfer(scene, control);
        }),
        case("22b", "a neighbour announced the same port to the server", |scene| {
            let other = scene.flow((NEIGHBOUR, 1024), (SERVER, 21));
            log_in(scene, other, Lan);
            scene.say(other, Lan, "PORT 192,168,1,101,195,80\r\n");
            let control = logged_in(scene);
            scene.say(control, Lan, PORT);
            transfer(scene, control);
            let data = scene.data(other, (SERVER, 20));
            scene.on(data, |script| script.handshake(Wan));
        }),
        case("22c", "a neighbour announced the same port to another server", |scene| {
            let other = scene.flow((NEIGHBOUR, 1024), (STRANGER, 21));
            log_in(scene, other, Lan);
            scene.say(other, Lan, "PORT 192,168,1,101,195,80\r\n");
            let control = logged_in(scene);
            scene.say(control, Lan, PORT);
            transfer(scene, control);
            let data = scene.data(other, (STRANGER, 20));
            scene.on(data, |script| script.handshake(Wan));
        }),
    ]
}

fn data_connections() -> Vec<Case> {
    let from = |number, name, remote| {
        case(number, name, move |scene| {
            let control = logged_in(scene);
            scene.say(control, Lan, PORT);
            let data = scene.data(control, remote);
            scene.on(data, |script| script.handshake(Wan));
            scene.say(data, Wan, "total 0\r\n");
            scene.on(data, |script| script.finish(Wan));
        })
    };
    vec![
        from("24", "the data SYN from the server's port 20", (SERVER, 20)),
        from("24a", "from another port of the server", (SERVER, 54321)),
        from("24b", "from a stranger's port 20", (STRANGER, 20)),
        case("25", "a second data SYN", |scene| {
            let control = logged_in(scene);
            scene.say(control, Lan, PORT);
            for port in [20, 2020] {
                let data = scene.data(control, (SERVER, port));
                scene.on(data, |script| script.handshake(Wan));
            }
        }),
        case("25a", "two announcements: only the second one's forward is left", |scene| {
            let control = logged_in(scene);
            scene.say(control, Lan, PORT);
            let first = scene.flow((CLIENT, 50000), (SERVER, 20));
            scene.say(control, Lan, "PORT 192,168,1,100,195,81\r\n");
            scene.on(first, |script| script.handshake(Wan));
            let second = scene.data(control, (SERVER, 20));
            scene.on(second, |script| script.handshake(Wan));
        }),
        case("25b", "the same announced again after its transfer", |scene| {
            let control = logged_in(scene);
            for _ in 0..2 {
                scene.say(control, Lan, PORT);
                scene.say(control, Wan, "200 PORT ok\r\n");
                let data = scene.data(control, (SERVER, 20));
                scene.on(data, |script| script.handshake(Wan));
                scene.say(data, Wan, "total 0\r\n");
                scene.on(data, |script| script.finish(Wan));
            }
        }),
        case("27", "the control connection is reset before the data SYN", |scene| {
            let control = logged_in(scene);
            scene.say(control, Lan, PORT);
            scene.on(control, |script| script.reset(Lan));
            let data = scene.data(control, (SERVER, 20));
            scene.on(data, |script| script.handshake(Wan));
        }),
        case("27a", "the control connection ends before the data SYN", |scene| {
            let control = logged_in(scene);
            scene.say(control, Lan, PORT);
            scene.on(control, |script| script.finish(Lan));
            let data = scene.data(control, (SERVER, 20));
            scene.on(data, |script| script.handshake(Wan));
        }),
        case("27b", "a running transfer outlives its control connection", |scene| {
            let control = logged_in(scene);
            scene.say(control, Lan, PORT);
            let data = scene.data(control, (SERVER, 20));
            scene.on(data, |script| script.handshake(Wan));
            scene.on(control, |script| script.reset(Wan));
            scene.say(data, Wan, "total 0\r\n");
            scene.on(data, |script| script.finish(Wan));
        }),
    ]
}

fn replies() -> Vec<Case> {
    let says = |number, name, reply: &'static str| {
        case(number, name, move |scene| {
            let control = logged_in(scene);
            scene.say(control, Lan, "PASV\r\n");
            scene.say(control, Wan, reply);
            let data = scene.data(control, (SERVER, 50000));
            scene.on(data, |script| script.handshake(Lan));
            scene.say(data, Wan, "total 0\r\n");
        })
    };
    let behind = |number, name, reply: &'static str| {
        case(number, name, move |scene| {
            let control = scene.flow((CLIENT, 21), (SERVER, 1024));
            log_in(scene, control, Wan);
            scene.say(control, Wan, "PASV\r\n");
            scene.say(control, Lan, reply);
            let data = scene.data(control, (SERVER, 2000));
            scene.on(data, |script| script.handshake(Wan));
            scene.say(data, Lan, "total 0\r\n");
            scene.say(control, Lan, "226 done\r\n");
            scene.say(control, Wan, "QUIT\r\n");
        })
    };
    vec![
        says("29", "227 Logout", "227 Logout.\r\n"),
        says("29a", "the 227 of a server outside", "227 Entering Passive Mode (198,51,100,9,195,80).\r\n"),
        says("29b", "the same, written otherwise", "227 ok 198,51,100,009,195,080\r\n"),
        says("29c", "with a foreign address", "227 Entering Passive Mode (198,51,100,10,195,80).\r\n"),
        says("29d", "the 229 of a server outside", "229 Extended Passive Mode (|||50000|)\r\n"),
        behind("29e", "the 227 of a server behind", "227 Entering Passive Mode (192,168,1,100,195,80).\r\n"),
        behind("29f", "the 229 of a server behind", "229 Extended Passive Mode (|||50000|)\r\n"),
        case("29g", "a 227 that nobody asked for", |scene| {
            let control = logged_in(scene);
            scene.say(control, Wan, "227 Entering Passive Mode (198,51,100,9,195,80).\r\n");
            let data = scene.data(control, (SERVER, 50000));
            scene.on(data, |script| script.handshake(Lan));
        }),
        case("29h", "PORT of a client outside to a server behind", |scene| {
            let control = scene.flow((CLIENT, 21), (SERVER, 1024));
            log_in(scene, control, Wan);
            scene.say(control, Wan, "PORT 198,51,100,9,195,80\r\n");
            scene.say(control, Lan, "200 ok\r\n");
            let data = scene.data(control, (SERVER, 50000));
            scene.on(data, |script| script.handshake(Lan));
        }),
        case("30", "AUTH TLS, then a record that begins with PORT", |scene| {
            let control = logged_in(scene);
            scene.say(control, Lan, "AUTH TLS\r\n");
            scene.say(control, Wan, "234 go on\r\n");
            scene.say(control, Lan, PORT);
            let data = scene.data(control, (SERVER, 20));
            scene.on(data, |script| script.handshake(Wan));
            scene.step(control, Lan, What::Again(0));
        }),
    ]
}
