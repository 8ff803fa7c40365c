//! Plays a table of FTP sessions between real programs with the router between them, and compares what was seen on
//! the wires on both sides of it with what the row says.

use std::fs;

use super::capture::{self, Capture};
use super::client::{Client, Direction, Mode, Transfer};
use super::evidence::{Evidence, Outcome};
use super::home::{Home, WAN, lan_address};
use super::namespace::Namespace;
use super::process::Finished;
use super::requirement::{LAB, Requirement, met};
use super::scratch::{Scratch, content};
use super::server::Server;

pub const PUBLIC_SERVER: &str = "198.51.100.9";
pub const PUBLIC_CLIENT: &str = "198.51.100.50";

/// Who sits behind the router; the other one is on the internet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Behind {
    Client,
    Server,
}

#[derive(Debug)]
pub struct Row {
    control: u16,
    client: Client,
    mode: Mode,
    outcome: Outcome,
}

pub const fn row(control: u16, client: Client, mode: Mode, outcome: Outcome) -> Row {
    Row { control, client, mode, outcome }
}

/// Plays the rows with this server, moving files of `size` bytes, and panics with every row that came out otherwise.
pub fn play(behind: Behind, server: Server, size: usize, rows: &[Row]) {
    let everywhere: Vec<Requirement> =
        LAB.into_iter().chain(capture::REQUIREMENTS).chain(server.requirements()).collect();
    if !met(&everywhere) {
        return;
    }
    let stage = Stage::set(behind, server, rows);
    let failures: Vec<String> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| met(&[row.client.requirement()]))
        .filter_map(|(number, row)| {
            let why = stage.play(row, number, size).err()?;
            Some(format!("{server:?}, {row:?}:\n{why}\n"))
        })
        .collect();
    assert!(failures.is_empty(), "{} of {} rows:\n{}", failures.len(), rows.len(), failures.join("\n"));
}

/// Everything that stays between the rows of one table.
struct Stage {
    server: Server,
    behind: Behind,
    // Dropped before the namespaces they run in.
    _servers: Vec<super::process::Process>,
    home: Home,
    scratch: Scratch,
}

impl Stage {
    fn set(behind: Behind, server: Server, rows: &[Row]) -> Self {
        let scratch = Scratch::new();
        let pc = lan_address(0);
        let forwards = [format!("tcp/21={pc}"), format!("tcp/2121={pc}")];
        let home = match behind {
            Behind::Client => Home::start(1, PUBLIC_SERVER, &[]),
            Behind::Server => {
                Home::start(1, PUBLIC_CLIENT, &["--forward", &forwards[0], "--forward", &forwards[1]])
            }
        };
        let place = if behind == Behind::Client { &home.outside } else { home.client() };
        let ports: std::collections::BTreeSet<u16> = rows.iter().map(|row| row.control).collect();
        let servers = ports.into_iter().map(|port| server.start(place, &scratch, port)).collect();
        Self { server, behind, _servers: servers, home, scratch }
    }

    fn play(&self, row: &Row, number: usize, size: usize) -> Result<(), String> {
        let inside = Capture::start(self.home.client(), "lan0", row.control);
        let outside = Capture::start(&self.home.outside, "wan0", row.control);

        let name = format!("{number}.bin");
        let original = content(number as u64, size);
        self.scratch.write(&format!("root/pub/{name}"), &original);
        let copy = self.scratch.directory("fetched", 0o755).join(&name);
        let fetch = self.transfer(row, &name, &copy, Direction::Fetch);
        let fetched = fs::read(&copy).is_ok_and(|bytes| bytes == original);

        let stored_name = format!("stored-{number}.bin");
        let source = self.scratch.write(&stored_name, &original);
        let wants_store = row.outcome.works() && row.client.can_store();
        let store = wants_store.then(|| self.transfer(row, &stored_name, &source, Direction::Store));
        let stored =
            fs::read(self.scratch.join("root/pub").join(&stored_name)).is_ok_and(|bytes| bytes == original);

        let evidence = Evidence {
            inside: inside.finish(&self.scratch, row.control),
            outside: outside.finish(&self.scratch, row.control),
            fetched,
            stored: wants_store.then_some(stored),
        };
        row.outcome.check(&evidence).map_err(|why| {
            let told = store.map(|store| format!("\nstoring, it {}", store.story())).unwrap_or_default();
            format!("{why}\n{}\nfetching, the client {}{told}", evidence.shown(), fetch.story())
        })
    }

    fn transfer(&self, row: &Row, remote: &str, local: &std::path::Path, direction: Direction) -> Finished {
        let (place, host): (&Namespace, _) = match self.behind {
            Behind::Client => (self.home.client(), PUBLIC_SERVER),
            Behind::Server => (&self.home.outside, WAN),
        };
        let remote = format!("pub/{remote}");
        let transfer = Transfer {
            mode: row.mode,
            server: self.server,
            host,
            port: row.control,
            remote: &remote,
            local,
            direction,
        };
        place.run("client", row.client.command(&transfer, &self.scratch), 30)
    }
}
