//! A profile's router on a virtual clock: hours pass in no time.

use std::collections::VecDeque;
use std::net::SocketAddrV4;

use quirknat_router::Router;
use quirknat_router::config::{Config, ConfigError, StaticForward};
use quirknat_router::event::{Detail, Interface};
use quirknat_router::packet::Protocol;
use quirknat_router::profile::{PortRange, Profile};
use smoltcp::time::Instant;

use super::site::Site;
use super::subject::{Side, Subject, SubjectError};

/// The router that a profile describes.
#[derive(Debug)]
pub struct ProfileRouter {
    router: Router,
    now: Instant,
    arrived: VecDeque<(Side, Vec<u8>)>,
}

/// The port of FTP's control connections.
const FTP: u16 = 21;

impl ProfileRouter {
    /// Sets it up at `site`, with a forward to the site's server.
    pub fn new(profile: &Profile, site: &Site) -> Result<Self, ConfigError> {
        let mut config = Config::new(vec![site.lan()], site.wan_subnet());
        config.wan_mtu = site.wan_mtu;
        config.detail = Detail::Nothing;
        config.forwards.extend(site.server.map(|server| StaticForward {
            protocol: Protocol::Tcp,
            ports: PortRange { first: FTP, last: FTP },
            target: SocketAddrV4::new(server, FTP),
        }));
        let router = Router::new(profile, &config)?;
        Ok(Self { router, now: Instant::ZERO, arrived: VecDeque::new() })
    }

    fn drain(&mut self) {
        while let Some((interface, packet)) = self.router.poll_transmit() {
            self.arrived.push_back((side(interface), packet));
        }
    }
}

fn side(interface: Interface) -> Side {
    match interface {
        Interface::Lan(_) => Side::Lan,
        Interface::Wan => Side::Wan,
    }
}

impl Subject for ProfileRouter {
    fn now(&self) -> Instant {
        self.now
    }

    fn send(&mut self, side: Side, packet: &[u8]) -> Result<(), SubjectError> {
        let ingress = match side {
            Side::Lan => Interface::Lan(0),
            Side::Wan => Interface::Wan,
        };
        let mut packet = packet.to_vec();
        if let Some(egress) = self.router.forward(self.now, ingress, &mut packet) {
            self.arrived.push_back((self::side(egress), packet));
        }
        self.drain();
        Ok(())
    }

    fn receive(&mut self, until: Instant) -> Result<Option<(Side, Vec<u8>)>, SubjectError> {
        while self.arrived.is_empty() {
            let Some(next) = self.router.poll_timeout().filter(|next| *next <= until) else {
                self.now = self.now.max(until);
                return Ok(None);
            };
            self.now = self.now.max(next);
            self.router.handle_timeout(self.now);
            self.drain();
        }
        Ok(self.arrived.pop_front())
    }
}
