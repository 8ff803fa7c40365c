//! A cell as a scenario: its text in the scenario language, which is all there is of it, so that what is played is what
//! a user can save, read and change.

use std::fmt::Write as _;

use super::cell::Cell;
use super::claims::Expected;
use super::coordinates::{Aware, Coordinate as _};
use super::sign::{aware_name, behind_name, mode_name};
use crate::scenario::language::Mode;
use crate::scenario::{ScenarioError, ScenarioFile};

/// In either home, as in life: both number their LAN alike.
const LAN_HOST: &str = "192.168.1.100";
/// The article's example port, 65 × 256 + 43, and a few more to forward.
const CLIENT_PORTS: [u16; 2] = [16683, 16693];
/// The article's example port, 158 × 256 + 26, and one more: a kernel's own choices are among these numbers too, and a
/// comparison of grounds takes a named port for no such choice.
const SERVER_PORTS: [u16; 2] = [40474, 40475];

/// One end of the session, and the home it may be in.
struct End {
    host: &'static str,
    address: &'static str,
    /// The network's name and its router's address on the WAN.
    home: Option<(&'static str, &'static str)>,
}

impl Cell {
    /// The file that it is.
    pub fn file(&self) -> Result<ScenarioFile, ScenarioError> {
        ScenarioFile::from_toml(&format!("{}.toml", self.scenario_name()), &self.to_toml())
    }

    /// The text of its file. Awareness where there is nothing to know is left out.
    pub fn to_toml(&self) -> String {
        let essence = self.essence();
        let (client, server) = essence.ends();
        let mut text = format!("title = {}\n", quoted(&self.title()));
        if let Some(row) = self.claim().and_then(|claim| claim.rows.first()) {
            put(&mut text, format_args!("quirk = {}\n", quoted(row)));
        }
        put(&mut text, format_args!("about = {}\n", quoted(&self.about())));
        essence.write_home(&mut text, &client, essence.client_forwards());
        essence.write_home(&mut text, &server, essence.server_forwards());
        let End { host, address, .. } = client;
        let on = client.home.map_or("internet", |(network, _)| network);
        put(&mut text, format_args!("\n[host.{host}]\non = \"{on}\"\naddress = \"{address}\"\n"));
        essence.write_server(&mut text, &server);
        essence.write_session(&mut text, &client);
        if let Some(claim) = self.claim() {
            put(&mut text, format_args!("\n[step.expect]\ncontrol = \"ok\"\n"));
            match claim.expected {
                Expected::Works => put(&mut text, format_args!("data = \"ok\"\n")),
                Expected::Fails(cause) => {
                    let cause = serde_json::to_value(cause).unwrap_or_default();
                    put(&mut text, format_args!("data = \"failed\"\ncause = {cause}\n"));
                }
            }
        }
        text
    }

    /// In a line, for people.
    pub fn title(&self) -> String {
        let (behind, mode, aware) = (behind_name(self.behind), mode_name(self.mode), aware_name(self.aware));
        format!("{behind}, control port {}, {mode}, {aware}", self.control.word())
    }

    fn about(&self) -> String {
        let awareness = if self.awareness_applies() {
            ""
        } else {
            " The end that would know of its NAT is behind none, so it announces nothing else than usual."
        };
        let basis = if self.claim().is_some() {
            "What is expected is what the article says."
        } else {
            "The article does not speak of it, so nothing is expected."
        };
        format!("A cell of `quirknat matrix`.{awareness} {basis}")
    }

    /// Client and server. A lone home has the first WAN address; where there are two, the client's has.
    fn ends(&self) -> (End, End) {
        let (behind, first) = (self.behind, ("home", "203.0.113.7"));
        let of_server = if behind.has_client() { ("other-home", "203.0.113.8") } else { first };
        let end = |host, is_behind: bool, outside, home| End {
            host,
            address: if is_behind { LAN_HOST } else { outside },
            home: is_behind.then_some(home),
        };
        (
            end("pc", behind.has_client(), "198.51.100.50", first),
            end("server", behind.has_server(), "198.51.100.9", of_server),
        )
    }

    /// What the user has forwarded to the client.
    fn client_forwards(&self) -> Vec<String> {
        let [first, last] = CLIENT_PORTS;
        let range = format!("tcp/{first}-{last}={LAN_HOST}");
        if self.aware == Aware::Client { vec![range] } else { Vec::new() }
    }

    /// What the user has forwarded to the server: the control port, without which nobody could log in.
    fn server_forwards(&self) -> Vec<String> {
        let [first, last] = SERVER_PORTS;
        let mut forwards = vec![format!("tcp/{}={LAN_HOST}", self.control.number())];
        if self.aware == Aware::Server {
            forwards.push(format!("tcp/{first}-{last}={LAN_HOST}"));
        }
        forwards
    }

    fn write_home(&self, text: &mut String, end: &End, forwards: Vec<String>) {
        let Some((network, wan)) = end.home else { return };
        let profile = quoted(&self.profile);
        put(text, format_args!("\n[network.{network}]\nlan = \"192.168.1.1/24\"\n"));
        put(text, format_args!("router = {{ profile = {profile}, wan = \"{wan}\""));
        if !forwards.is_empty() {
            put(text, format_args!(", forward = {}", toml::Value::from(forwards)));
        }
        text.push_str(" }\n");
    }

    fn write_server(&self, text: &mut String, server: &End) {
        let [first, last] = SERVER_PORTS;
        let End { host, address, .. } = server;
        let on = server.home.map_or("internet", |(network, _)| network);
        put(text, format_args!("\n[host.{host}]\non = \"{on}\"\naddress = \"{address}\"\n"));
        put(
            text,
            format_args!(
                "\n[host.{host}.ftp-server]\nport = {}\npassive-ports = \"{first}-{last}\"\n",
                self.control.number()
            ),
        );
        if let (Aware::Server, Some((_, wan))) = (self.aware, server.home) {
            put(text, format_args!("passive-address = \"{wan}\"\n"));
        }
        text.push_str("data-timeout = \"2 s\"\n");
    }

    fn write_session(&self, text: &mut String, client: &End) {
        put(text, format_args!("\n[[step]]\n\n[step.ftp]\nclient = \"pc\"\nserver = \"server\"\n"));
        put(text, format_args!("mode = \"{}\"\n", self.mode.word()));
        if matches!(self.mode, Mode::Port | Mode::Eprt) {
            put(text, format_args!("data-port = {}\n", CLIENT_PORTS[0]));
            if let (Aware::Client, Some((_, wan))) = (self.aware, client.home) {
                put(text, format_args!("announce = \"{wan}\"\n"));
            }
        }
        text.push_str("get = \"readme.txt\"\npatience = \"4 s\"\n");
    }
}

/// A text as TOML spells it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = text.write_fmt(what);
}
