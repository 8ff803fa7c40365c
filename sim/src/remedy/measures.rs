//! Which remedies are tried after which cause, most practical first: what the client's user can do alone, then what the
//! server's administrator can, then what needs a router.

use std::net::Ipv4Addr;

use quirknat_router::profile::PortRange;

use super::change::{Try, forward, ports_text, verb};
use super::{Failed, Measure, Who};
use crate::cause::Cause;
use crate::scenario::language::Mode;

/// The remedies to try.
pub(super) fn of(failed: &Failed<'_>) -> Vec<Try> {
    let tries: Vec<Option<Try>> = match failed.cause() {
        // The network is not at fault, or nobody can do anything about it.
        Cause::LoginRefused
        | Cause::FileRefused
        | Cause::SessionEndedByServer
        | Cause::PacketsLost
        | Cause::RouterRestarted
        | Cause::WanAddressChanged
        | Cause::NotForwarded
        | Cause::FragmentsDropped => Vec::new(),
        Cause::ControlPortNotForwarded => failed.control_forwarded(),
        Cause::ControlRefused | Cause::ControlNotAnswered | Cause::PrivateAddressDialled => {
            let modes = [None, Some(Mode::Port)];
            modes.into_iter().map(|mode| failed.dial_the_server(mode)).collect()
        }
        Cause::HairpinningOff => {
            let mut tries = vec![failed.dial_in_the_lan()];
            tries.extend(failed.hairpinning());
            tries
        }
        Cause::TableFull | Cause::NoPortLeft | Cause::TranslationEvicted => failed.larger_tables(),
        Cause::IdleControlExpired | Cause::TranslationExpired => failed.longer_timeouts(),
        _ => failed.data_connections(),
    };
    tries.into_iter().flatten().collect()
}

impl Failed<'_> {
    /// Whatever may let a data connection come about.
    fn data_connections(&self) -> Vec<Option<Try>> {
        let mut tries = self.other_modes();
        tries.extend([self.own_announcement(), self.other_data_port(), self.one_segment()]);
        tries.push(self.distrusts_passive_address());
        tries.push(self.watched_control_port());
        tries.extend(self.server_settings());
        tries.extend([self.server_announces(), self.client_announces()]);
        tries.extend(self.forwarded());
        tries.push(self.distrusts_and_forwards());
        tries.push(self.plain_control());
        tries.extend(self.taught_gateways());
        tries
    }

    /// Dials what the server is known as, on the port it listens on; in another way if need be.
    fn dial_the_server(&self, mode: Option<Mode>) -> Option<Try> {
        let address = match self.outside_of(&self.around_server()) {
            Some(outside) => outside,
            None => self.address_of(self.step()?.server.get_ref())?,
        };
        let port = self.server()?.port;
        let in_mode = mode.map(|mode| format!(", and use {}", verb(mode))).unwrap_or_default();
        self.try_it(
            (Measure::DialElsewhere, Who::Client),
            format!("dial {address}:{port}{in_mode}"),
            |scenario| {
                let step = scenario.ftp_step_mut(self.position)?;
                let is_so = step.to.is_none() && step.port.is_none_or(|dialled| dialled == port);
                (step.to, step.port) = (None, None);
                step.mode = mode.or(step.mode);
                (!is_so).then_some(())
            },
        )
    }

    /// In one's own network the server has its own address.
    fn dial_in_the_lan(&self) -> Option<Try> {
        let address = self.address_of(self.step()?.server.get_ref())?;
        let text = format!("dial {address}, the server's address in its own network");
        self.try_it((Measure::DialElsewhere, Who::Client), text, |scenario| {
            scenario.ftp_step_mut(self.position)?.to = Some(address);
            Some(())
        })
    }

    /// The control port is forwarded; and where that is not enough, what goes with it.
    fn control_forwarded(&self) -> Vec<Option<Try>> {
        let Some((port, target)) = self.control_port().zip(self.server_address()) else { return Vec::new() };
        let own = self.server().map_or(port, |server| server.port);
        let ports = PortRange { first: port, last: port };
        let said = format!("forward {} to {target}", ports_text(ports));
        let networks = self.around_server();
        let alone = self.try_it((Measure::Forward, Who::Router), said.clone(), |scenario| {
            forward(scenario, &networks, ports, (target, own))
        });
        let with_port = self.try_it(
            (Measure::Forward, Who::ClientAndRouter),
            format!("{said}, and have the client use PORT"),
            |scenario| {
                forward(scenario, &networks, ports, (target, own))?;
                scenario.ftp_step_mut(self.position)?.mode = Some(Mode::Port);
                Some(())
            },
        );
        let with_range = self.server_announces_with(Some((ports, own)));
        vec![alone, with_port, with_range]
    }

    pub(super) fn server_address(&self) -> Option<Ipv4Addr> {
        self.address_of(self.step()?.server.get_ref())
    }

    pub(super) fn client_address(&self) -> Option<Ipv4Addr> {
        self.address_of(self.step()?.client.get_ref())
    }
}
