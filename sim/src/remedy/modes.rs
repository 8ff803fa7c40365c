//! What the ends of a session can do: other ways to have data connections made, other announcements, other settings.

use quirknat_router::profile::PortRange;

use super::change::{RANGE, Try, forward, ports_text, verb};
use super::{Failed, Measure, Who};
use crate::cause::Cause;
use crate::scenario::language::{DataSource, Mode};

impl Failed<'_> {
    pub(super) fn other_modes(&self) -> Vec<Option<Try>> {
        let own = self.step().and_then(|step| step.mode).or_else(|| self.mode());
        let others = [Mode::Pasv, Mode::Epsv, Mode::Port, Mode::Eprt];
        let others = others.into_iter().filter(|mode| Some(*mode) != own);
        let other = |mode| {
            let text = format!("use {}", verb(mode));
            self.try_it((Measure::OtherMode, Who::Client), text, |scenario| {
                scenario.ftp_step_mut(self.position)?.mode = Some(mode);
                Some(())
            })
        };
        others.map(other).collect()
    }

    /// A client that announced somebody else's address announces its own.
    pub(super) fn own_announcement(&self) -> Option<Try> {
        let own = self.client_address()?;
        let text = format!("have the client announce {own}, its own address");
        self.try_it((Measure::AnnounceElse, Who::Client), text, |scenario| {
            scenario.ftp_step_mut(self.position)?.announce.take().map(drop)
        })
    }

    /// A port of the system's choice, which is no low one and not taken.
    pub(super) fn other_data_port(&self) -> Option<Try> {
        let text = "have the client listen on another port, above 1023";
        self.try_it((Measure::AnnounceElse, Who::Client), text, |scenario| {
            let step = scenario.ftp_step_mut(self.position)?;
            let had = step.data_port.take().is_some() | step.data_ports.take().is_some();
            had.then_some(())
        })
    }

    pub(super) fn one_segment(&self) -> Option<Try> {
        let text = "have the client send each command in one segment";
        self.try_it((Measure::OneSegment, Who::Client), text, |scenario| {
            scenario.ftp_step_mut(self.position)?.segments.take().map(drop)
        })
    }

    pub(super) fn plain_control(&self) -> Option<Try> {
        let text = "do without TLS, so that the gateway can read the control connection";
        self.try_it((Measure::PlainControl, Who::Client), text, |scenario| {
            let step = scenario.ftp_step_mut(self.position)?;
            std::mem::take(&mut step.tls).then_some(())
        })
    }

    pub(super) fn distrusts_passive_address(&self) -> Option<Try> {
        let text = "have the client dial the control connection's address instead of the one in the 227";
        self.try_it((Measure::DistrustPassiveAddress, Who::Client), text, |scenario| {
            let step = scenario.ftp_step_mut(self.position)?;
            step.trust_passive_address.replace(false).is_none_or(|trusted| trusted).then_some(())
        })
    }

    /// The same, with the server's range forwarded to it.
    pub(super) fn distrusts_and_forwards(&self) -> Option<Try> {
        let target = self.server_address()?;
        let networks = self.around_server();
        let ports = self.server()?.passive_ports.unwrap_or(RANGE);
        let text = format!(
            "forward {} to {target}, have the server listen there, and have the client dial the control connection's address \
             instead of the one in the 227",
            ports_text(ports)
        );
        self.try_it((Measure::DistrustPassiveAddress, Who::ServerAndRouter), text, |scenario| {
            if networks.is_empty() || self.mode() != Some(Mode::Pasv) {
                return None;
            }
            self.server_mut(scenario)?.passive_ports = Some(ports);
            let step = scenario.ftp_step_mut(self.position)?;
            (step.mode, step.trust_passive_address) = (Some(Mode::Pasv), Some(false));
            forward(scenario, &networks, ports, (target, ports.first))
        })
    }

    /// The control connection on a port that the gateways before the client watch.
    pub(super) fn watched_control_port(&self) -> Option<Try> {
        let old = self.control_port()?;
        let own = self.server()?.port;
        let networks =
            if self.around_client().is_empty() { self.around_server() } else { self.around_client() };
        let gateway = self.scenario.network.get(networks.first()?)?;
        let watched = gateway.router.profile()?.alg.ftp.control_ports.value.clone();
        let port = watched.first().copied().filter(|_| !watched.contains(&old))?;
        let server_networks = self.around_server();
        let target = self.server_address()?;
        let ports = PortRange { first: port, last: port };
        let forwards = if server_networks.is_empty() {
            String::new()
        } else {
            format!(", with {} forwarded to {target}", ports_text(ports))
        };
        let text = format!("run the server's control connection on port {port}{forwards}");
        let by = if server_networks.is_empty() { Who::Server } else { Who::ServerAndRouter };
        self.try_it((Measure::WatchedControlPort, by), text, |scenario| {
            self.server_mut(scenario)?.port = port;
            for step in 0..=self.position {
                if let Some(step) = scenario.ftp_step_mut(step)
                    && step.port.is_some_and(|dialled| dialled == old || dialled == own)
                {
                    step.port = Some(port);
                }
            }
            forward(scenario, &server_networks, ports, (target, port))
        })
    }

    /// The server announces the address it is known as outside, and a range that is forwarded to it.
    pub(super) fn server_announces(&self) -> Option<Try> {
        self.server_announces_with(None)
    }

    /// The same; with a control port that is forwarded besides, and what it is on the server.
    pub(super) fn server_announces_with(&self, control: Option<(PortRange, u16)>) -> Option<Try> {
        let networks = self.around_server();
        let (outside, target) = (self.outside_of(&networks)?, self.server_address()?);
        let ports = self.server()?.passive_ports.unwrap_or(RANGE);
        let forwarded: Vec<String> =
            control.map(|(ports, _)| ports).into_iter().chain([ports]).map(ports_text).collect();
        let mode = match self.mode() {
            Some(Mode::Epsv) => Mode::Epsv,
            _ => Mode::Pasv,
        };
        let text = format!(
            "{}have the server announce {outside} and listen on {}, and forward {} to {target}",
            self.use_it(mode),
            ports_text(ports).trim_start_matches("tcp/"),
            forwarded.join(" and "),
        );
        self.try_it((Measure::AnnounceAndForward, Who::ServerAndRouter), text, |scenario| {
            let server = self.server_mut(scenario)?;
            let is_so = server.passive_address == Some(outside) && server.passive_ports.is_some();
            // A 229 names no address: forwarding is enough.
            if (is_so || mode == Mode::Epsv) && control.is_none() {
                return None;
            }
            (server.passive_address, server.passive_ports) = (Some(outside), Some(ports));
            scenario.ftp_step_mut(self.position)?.mode = Some(mode);
            if let Some((ports, own)) = control {
                forward(scenario, &networks, ports, (target, own))?;
            }
            forward(scenario, &networks, ports, (target, ports.first))
        })
    }

    /// The client announces the address it is known as outside, and a port or range that is forwarded to it.
    pub(super) fn client_announces(&self) -> Option<Try> {
        let networks = self.around_client();
        let (outside, target) = (self.outside_of(&networks)?, self.client_address()?);
        let step = self.step()?;
        let own = step.data_port.map(|port| PortRange { first: port, last: port });
        let ports = own.or(step.data_ports).unwrap_or(RANGE);
        let mode = match self.mode() {
            Some(Mode::Eprt) => Mode::Eprt,
            _ => Mode::Port,
        };
        let listens = match own {
            Some(_) => String::new(),
            None => format!(" and listen on {ports}"),
        };
        let text = format!(
            "{}have the client announce {outside}{listens}, and forward {} to {target}",
            self.use_it(mode),
            ports_text(ports),
        );
        self.try_it((Measure::AnnounceAndForward, Who::ClientAndRouter), text, |scenario| {
            let step = scenario.ftp_step_mut(self.position)?;
            if step.announce == Some(outside) && step.mode == Some(mode) {
                return None;
            }
            (step.mode, step.announce) = (Some(mode), Some(outside));
            if own.is_none() {
                step.data_ports = Some(ports);
            }
            forward(scenario, &networks, ports, (target, ports.first))
        })
    }

    /// `use PASV, `, where that is another way than the one that failed.
    fn use_it(&self, mode: Mode) -> String {
        let own = self.step().and_then(|step| step.mode).or_else(|| self.mode());
        if own == Some(mode) { String::new() } else { format!("use {}, ", verb(mode)) }
    }

    /// What the server's administrator can set, where the cause has to do with it.
    pub(super) fn server_settings(&self) -> Vec<Option<Try>> {
        let by = (Measure::ServerSetting, Who::Server);
        let outside = self.outside_of(&self.around_server());
        match self.cause() {
            Cause::CommandNotKnown => {
                let command = self.found.details.command.clone().unwrap_or_default();
                vec![self.try_it(by, format!("have the server know {command}"), |scenario| {
                    self.server_mut(scenario)?.lacks.replace(Vec::new()).map(drop)
                })]
            }
            Cause::AnnouncedAddressUnknown => vec![outside.and_then(|outside| {
                self.try_it(by, format!("have the server announce {outside}"), |scenario| {
                    let server = self.server_mut(scenario)?;
                    server.passive_address.is_some().then(|| server.passive_address = Some(outside))
                })
            })],
            Cause::ForwardForAnotherPeer => {
                let text = "have the server dial data connections from the port below its control port";
                vec![self.try_it(by, text, |scenario| {
                    self.server_mut(scenario)?.data_source = Some(DataSource::BelowControl);
                    Some(())
                })]
            }
            Cause::ForwardExpired => {
                let text = "have the server dial at once";
                vec![self.try_it(by, text, |scenario| {
                    let delay = &mut self.server_mut(scenario)?.data_delay;
                    (std::mem::take(delay) != crate::net::units::TimeSpan::default()).then_some(())
                })]
            }
            _ => Vec::new(),
        }
    }
}
