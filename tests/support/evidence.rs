//! What a session left on the wires on both sides of the router, and what each outcome must have left there.

use super::capture::Seen;
use super::home::{WAN, lan_address};
use super::session::PUBLIC_CLIENT;

/// How a session comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `PORT` names the LAN address on the client's wire and the WAN address, same ports, on the server's; works.
    Rewritten,
    /// `PORT` reaches the server untouched, which refuses the foreign address; login fine, no data.
    Refused,
    /// `PORT` reaches the server untouched, which believes it and dials the LAN address; login fine, no data.
    DialsLan,
    /// `PORT` reaches the server untouched, which takes a private address for the router's mistake and dials the WAN
    /// address in its place (ProFTPD does), where nothing is forwarded; login fine, no data.
    DialsWan,
    /// `PASV`: the reply passes as it is, the client dials; works.
    ClientDials,
    /// The server is inside, the client's `PORT` passes as it is, the server dials out; works.
    ServerDialsOut,
    /// The server is inside, its 227 brings the LAN address to the client, which dials that; login fine, no data.
    LeaksLan,
}

pub struct Evidence {
    /// The wire between the home's PC and its router.
    pub inside: Vec<Seen>,
    /// The wire between the router and the internet.
    pub outside: Vec<Seen>,
    /// Whether what was fetched equals the original.
    pub fetched: bool,
    /// The same for what was stored, where that was tried.
    pub stored: Option<bool>,
}

impl Outcome {
    pub fn works(self) -> bool {
        matches!(self, Self::Rewritten | Self::ClientDials | Self::ServerDialsOut)
    }

    /// What is not as this outcome says, if anything.
    pub fn check(self, evidence: &Evidence) -> Result<(), String> {
        evidence.login_was_fine()?;
        match self {
            Self::Rewritten => evidence.port_is_rewritten(),
            Self::Refused => {
                evidence.port_is_untouched().and_then(|()| evidence.answered_after("PORT", "50"))
            }
            Self::DialsLan => evidence
                .port_is_untouched()
                .and_then(|()| evidence.lan_address_is_dialled("PORT"))
                .and_then(|()| evidence.answered_after("PORT", "42")),
            Self::DialsWan => evidence
                .port_is_untouched()
                .and_then(|()| evidence.wan_address_is_dialled_in_vain())
                .and_then(|()| evidence.answered_after("PORT", "42")),
            Self::ClientDials => evidence.pasv_passes(),
            Self::ServerDialsOut => evidence.server_dials_out(),
            Self::LeaksLan => {
                evidence.lines_are_the_same("227").and_then(|()| evidence.lan_address_is_dialled("227"))
            }
        }?;
        evidence.files_are(self.works())
    }
}

impl Evidence {
    pub fn shown(&self) -> String {
        format!("inside:\n{}outside:\n{}", shown(&self.inside), shown(&self.outside))
    }

    fn login_was_fine(&self) -> Result<(), String> {
        let welcomed = |wire: &[Seen]| wire.iter().any(|seen| seen.line.starts_with("230"));
        check(welcomed(&self.inside) && welcomed(&self.outside), || "no login".to_owned())
    }

    fn files_are(&self, equal: bool) -> Result<(), String> {
        check(self.fetched == equal, || format!("the file fetched is the original: {}", self.fetched))?;
        check(self.stored.is_none_or(|stored| stored == equal), || {
            "the stored file is not the original".into()
        })
    }

    fn port_is_rewritten(&self) -> Result<(), String> {
        let pc = lan_address(0);
        let inside = lines(&self.inside, "PORT");
        let outside = lines(&self.outside, "PORT");
        check(!inside.is_empty(), || "no PORT seen".into())?;
        for line in &inside {
            check(names(line, &pc), || format!("the client sent {line}"))?;
        }
        let expected: Vec<String> =
            inside.iter().map(|line| line.replace(&commas(&pc), &commas(WAN))).collect();
        check(outside == expected, || format!("the server saw {outside:?}, not {expected:?}"))?;
        for line in &inside {
            let port = port_of(line)?;
            check(dialled(&self.outside, WAN, port), || format!("nobody dialled {WAN}:{port} outside"))?;
            check(dialled(&self.inside, &pc, port), || format!("nobody dialled {pc}:{port} inside"))?;
        }
        Ok(())
    }

    fn port_is_untouched(&self) -> Result<(), String> {
        self.lines_are_the_same("PORT")?;
        let pc = lan_address(0);
        let outside = lines(&self.outside, "PORT");
        check(outside.iter().all(|line| names(line, &pc)), || format!("the server saw {outside:?}"))
    }

    fn pasv_passes(&self) -> Result<(), String> {
        self.lines_are_the_same("227")?;
        for line in lines(&self.inside, "227") {
            let (server, port) = (self.server(), port_of(&line)?);
            check(names(&line, &server), || format!("the client was told {line}"))?;
            check(dialled(&self.inside, &server, port), || format!("nobody dialled {server}:{port}"))?;
        }
        Ok(())
    }

    fn server_dials_out(&self) -> Result<(), String> {
        self.lines_are_the_same("PORT")?;
        for line in lines(&self.outside, "PORT") {
            let port = port_of(&line)?;
            check(names(&line, PUBLIC_CLIENT), || format!("the client sent {line}"))?;
            let from_the_wan = |seen: &Seen| seen.source == WAN && opens_to(seen, PUBLIC_CLIENT, port);
            check(self.outside.iter().any(from_the_wan), || {
                format!("the data for {line} came not from {WAN}")
            })?;
        }
        Ok(())
    }

    /// The address in the command or reply is the PC's own; someone outside dials it; and nothing comes of it inside.
    fn lan_address_is_dialled(&self, which: &str) -> Result<(), String> {
        let pc = lan_address(0);
        for line in lines(&self.outside, which) {
            let port = port_of(&line)?;
            check(names(&line, &pc), || format!("outside was told {line}"))?;
            check(dialled(&self.outside, &pc, port), || format!("nobody dialled {pc}:{port} outside"))?;
            check(!dialled(&self.inside, &pc, port), || format!("the router let {pc}:{port} through"))?;
        }
        Ok(())
    }

    fn wan_address_is_dialled_in_vain(&self) -> Result<(), String> {
        for line in lines(&self.outside, "PORT") {
            let port = port_of(&line)?;
            check(dialled(&self.outside, WAN, port), || format!("nobody dialled {WAN}:{port} outside"))?;
            let inside = self.inside.iter().any(|seen| seen.opens && seen.destination_port == port);
            check(!inside, || format!("the router let a connection to port {port} in"))?;
        }
        Ok(())
    }

    fn lines_are_the_same(&self, which: &str) -> Result<(), String> {
        let (inside, outside) = (lines(&self.inside, which), lines(&self.outside, which));
        check(!inside.is_empty(), || format!("no {which} seen"))?;
        check(inside == outside, || format!("{which} inside {inside:?}, outside {outside:?}"))
    }

    /// Some time after the command there is a reply that begins so.
    fn answered_after(&self, command: &str, reply: &str) -> Result<(), String> {
        let mut rest = self.outside.iter().skip_while(|seen| !is(&seen.line, command));
        check(rest.any(|seen| seen.line.starts_with(reply)), || {
            format!("nothing after {command} was answered by {reply}…")
        })
    }

    /// The server's address as the inside sees it.
    fn server(&self) -> String {
        self.inside.iter().find(|seen| seen.opens).map(|seen| seen.destination.clone()).unwrap_or_default()
    }
}

fn check(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn is(line: &str, which: &str) -> bool {
    line.split(' ').next() == Some(which)
}

/// The commands or replies of a kind, in order.
fn lines(wire: &[Seen], which: &str) -> Vec<String> {
    wire.iter().filter(|seen| is(&seen.line, which)).map(|seen| seen.line.clone()).collect()
}

fn dialled(wire: &[Seen], address: &str, port: u16) -> bool {
    wire.iter().any(|seen| opens_to(seen, address, port))
}

fn opens_to(seen: &Seen, address: &str, port: u16) -> bool {
    seen.opens && seen.destination == address && seen.destination_port == port
}

fn commas(address: &str) -> String {
    address.replace('.', ",")
}

fn names(line: &str, address: &str) -> bool {
    line.contains(&format!("{},", commas(address)))
}

/// The port that the last two numbers of a `PORT` or a 227 stand for.
fn port_of(line: &str) -> Result<u16, String> {
    let numbers: Vec<u16> = line
        .split(|character: char| !character.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(|digits| digits.parse().map_err(|error| format!("{line}: {error}")))
        .collect::<Result<_, _>>()?;
    match numbers[..] {
        [.., high, low] if high < 256 && low < 256 => Ok(high * 256 + low),
        _ => Err(format!("no port in {line}")),
    }
}

fn shown(wire: &[Seen]) -> String {
    let packets: Vec<String> = wire
        .iter()
        .filter(|seen| seen.opens || !seen.line.is_empty())
        .map(|seen| {
            let what = if seen.opens { "SYN" } else { &seen.line };
            let (from, to) = (seen.source_port, seen.destination_port);
            format!("  {}:{from} > {}:{to} {what}\n", seen.source, seen.destination)
        })
        .collect();
    packets.concat()
}
