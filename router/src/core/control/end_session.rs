//! A gateway that ends a session: both ends get a reset, each with the number it expects, and the translation is gone.

use quirknat_alg::Side;

use super::super::Router;
use crate::event::{Interface, TranslationEnd};
use crate::packet::{Packet, TcpFlags, reset, reset_between};
use crate::state::flow::FlowId;

impl Router {
    /// On account of a segment of the end on side `from`, which goes no farther.
    pub(super) fn end_session(&mut self, id: FlowId, from: Side, packet: &Packet<'_>) {
        let Some(flow) = self.flows.get(id) else { return };
        let (external, inside, remote, lan_port) = (flow.external, flow.inside, flow.remote, flow.lan_port);
        let lan = Interface::Lan(self.stations.port(*inside.ip()).unwrap_or(lan_port));
        let (back, onwards) = match from {
            Side::Inside => (lan, Interface::Wan),
            Side::Outside => (Interface::Wan, lan),
        };
        let (source, destination) = match from {
            Side::Inside => (external, remote),
            Side::Outside => (remote, inside),
        };
        let tcp = packet.tcp().filter(|tcp| !tcp.flags.has(TcpFlags::RST));
        if let (Some(tcp), Some(control)) = (tcp, self.controls.get(flow.control.0 as usize)) {
            // What comes next to the receiver is where this segment would begin.
            let sequence = control.numbers.leaves_as(from, tcp.sequence);
            self.transmits.push_back((onwards, reset_between(source, destination, sequence)));
        }
        if let Some(answer) = reset(packet) {
            self.transmits.push_back((back, answer));
        }
        self.end_translation(id, TranslationEnd::SessionRefused);
    }
}
