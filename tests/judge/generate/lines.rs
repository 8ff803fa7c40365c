//! Lines of FTP: announcements right and wrong, and what stands around them.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::dice::Dice;

/// What a client says; `own` is its address.
pub fn from_client(dice: &mut Dice, own: Ipv4Addr, peer: Ipv4Addr) -> Vec<u8> {
    const PLAIN: [&str; 14] = [
        "USER anonymous\r\n",
        "PASS guest\r\n",
        "NOOP\r\n",
        "LIST\r\n",
        "PASV\r\n",
        "EPSV\r\n",
        "EPSV ALL\r\n",
        "RETR PORT 1,2,3,4,5,6\r\n",
        "STOR a\r\n",
        "QUIT\r\n",
        "TYPE I\r\n",
        "AUTH TLS\r\n",
        "\r\n",
        "NOOP\n",
    ];
    match dice.below(10) {
        0..=2 => dice.pick(&PLAIN).as_bytes().to_vec(),
        3 | 4 => [from_client(dice, own, peer), from_client(dice, own, peer)].concat(),
        _ => announcement(dice, own, peer),
    }
}

/// What a server says.
pub fn from_server(dice: &mut Dice, own: Ipv4Addr, peer: Ipv4Addr) -> Vec<u8> {
    const PLAIN: [&str; 11] = [
        "220 ready\r\n",
        "220-hello\r\n there\r\n220 ready\r\n",
        "331 password\r\n",
        "230 logged in\r\n",
        "200 PORT ok\r\n",
        "150 opening\r\n",
        "226 done\r\n",
        "227 Logout.\r\n",
        "227 \r\n",
        "229 Extended\r\n",
        "234 AUTH ok\r\n",
    ];
    let endpoint = endpoint(dice, own, peer);
    let numbers = numbers(dice, endpoint);
    match dice.below(12) {
        0..=3 => dice.pick(&PLAIN).as_bytes().to_vec(),
        4..=6 => format!("227 Entering Passive Mode ({numbers}).\r\n").into_bytes(),
        7 => format!("227 {numbers}\r\n").into_bytes(),
        8 => format!("227 Entering Passive Mode {numbers}\r\n220 and more\r\n").into_bytes(),
        9 => {
            let delimiter = delimiter(dice);
            let delimiters = delimiter.repeat(3);
            format!("229 Extended Passive Mode ({delimiters}{}{delimiter})\r\n", endpoint.port()).into_bytes()
        }
        10 => format!("229 (|1|{}|{}|)\r\n", endpoint.ip(), endpoint.port()).into_bytes(),
        _ => damaged(dice, format!("227 Entering Passive Mode ({numbers}).\r\n").into_bytes()),
    }
}

fn announcement(dice: &mut Dice, own: Ipv4Addr, peer: Ipv4Addr) -> Vec<u8> {
    let endpoint = endpoint(dice, own, peer);
    let numbers = numbers(dice, endpoint);
    let keyword = *dice.pick(&["PORT", "PORT", "PORT", "PORT", "port", "PoRt", "REPORT", "XPORT"]);
    let line = match dice.below(12) {
        0..=5 => format!("{keyword} {numbers}\r\n"),
        6 => {
            format!("{keyword} {numbers}{}", dice.pick(&["\n", "\r", " \r\n", "\r\nLIST\r\n", ",9\r\n", ""]))
        }
        7 => format!("{keyword}  {numbers}\r\n"),
        8 | 9 => {
            let delimiter = delimiter(dice);
            let family = *dice.pick(&["1", "1", "1", "1", "2", "3", ""]);
            let (ip, port) = (endpoint.ip(), endpoint.port());
            format!("EPRT {delimiter}{family}{delimiter}{ip}{delimiter}{port}{delimiter}\r\n")
        }
        10 => format!("eprt |1|{}|{}|\r\n", endpoint.ip(), endpoint.port()),
        _ => return damaged(dice, format!("PORT {numbers}\r\n").into_bytes()),
    };
    line.into_bytes()
}

fn delimiter(dice: &mut Dice) -> String {
    (*dice.pick(&["|", "|", "|", "!", "~", "1", " "])).to_owned()
}

fn endpoint(dice: &mut Dice, own: Ipv4Addr, peer: Ipv4Addr) -> SocketAddrV4 {
    let neighbour = Ipv4Addr::from(u32::from(own) ^ 1);
    let ip =
        *dice.pick(&[own, own, own, own, own, own, own, peer, neighbour, super::super::packets::WAN_ADDRESS]);
    let port = match dice.below(12) {
        0 => *dice.pick(&[0, 1, 20, 21, 22, 80, 255, 256, 1023, 1024, 6000, 65535]),
        1 => u16::try_from(dice.between(1, 1023)).expect("a port"),
        _ => u16::try_from(dice.between(1024, 65535)).expect("a port"),
    };
    SocketAddrV4::new(ip, port)
}

/// `h1,h2,h3,h4,p1,p2`, mostly well written.
fn numbers(dice: &mut Dice, endpoint: SocketAddrV4) -> String {
    let [a, b, c, d] = endpoint.ip().octets();
    let [high, low] = endpoint.port().to_be_bytes();
    match dice.below(24) {
        0 => format!("{a:03},{b:03},{c:03},{d:03},{high:03},{low:03}"),
        1 => format!("{a},{b},{c},{d},{high},{low},7"),
        2 => format!("{a},{b},{c},{d},{high}"),
        3 => format!("{a},{b},{c},{d},{high},"),
        4 => format!("{a}.{b}.{c}.{d},{high},{low}"),
        5 => format!("{a},{b},{c},{d},{},{low}", usize::from(high) + 256),
        6 => format!("{a},{b},{c},{d}, {high}, {low}"),
        7 => format!("{a},{b},{c},{d},0000{high},{low}"),
        8 => format!("{a},{b},,{d},{high},{low}"),
        _ => format!("{a},{b},{c},{d},{high},{low}"),
    }
}

/// One octet changed, left out or put in.
fn damaged(dice: &mut Dice, mut line: Vec<u8>) -> Vec<u8> {
    let at = dice.below(line.len());
    match dice.below(3) {
        0 => line[at] = *dice.pick(b"0 ,\n\rA\0|"),
        1 => drop(line.remove(at)),
        _ => line.insert(at, *dice.pick(b"0 ,\n\rA\0|")),
    }
    line
}
