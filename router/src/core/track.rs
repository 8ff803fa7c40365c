//! What is known of a translation beyond its flow's record, where the profile asks for it: a connection's windows, and how
//! old a UDP exchange is. Kept beside the records, by their number, so that a flow of any other router is no larger.

use quirknat_alg::Side;
use smoltcp::time::{Duration, Instant};

use super::pass::Passing;
use super::{Router, Step, Stop, opposite};
use crate::event::{Origin, Passage, TranslationEnd};
use crate::packet::{Packet, Protocol, TcpFlags};
use crate::profile::{Profile, TcpTracking};
use crate::reason::DropReason;
use crate::state::flow::FlowId;
use crate::state::timer::Tick;
use crate::state::windows::{Limits, Segment, Verdict, Way, Windows};

/// An attempt to end a connection that was refused at both ends shortens what is left of its life only if it is longer
/// than this, in seconds.
const SHORT: Tick = 120;

/// What is kept.
#[derive(Debug)]
pub(super) struct Tracking {
    limits: Limits,
    is_strict: bool,
    keeps_windows: bool,
    /// How old a UDP exchange must be to have the longer timeout.
    udp_age: Duration,
    udp: Tick,
    udp_answered: Tick,
    records: Vec<Tracked>,
}

#[derive(Debug, Clone, Copy)]
enum Tracked {
    Nothing,
    Connection(Windows),
    Exchange { begun: Instant, from: Side, is_answered: bool },
}

/// What tracking says of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    Passes,
    /// It passes, and its translation ends.
    Ends,
    Dropped(DropReason),
    /// It is the first of another connection; its translation is over.
    BeginsAnew,
}

impl Tracking {
    pub(super) fn new(profile: &Profile) -> Self {
        let (timeouts, tcp) = (&profile.timeouts, &profile.tcp);
        let limits = Limits {
            syn_sent: *timeouts.tcp_opening,
            syn_received: *timeouts.tcp_opening_answered,
            established: *timeouts.tcp_established,
            fin_wait: *timeouts.tcp_half_closed,
            close_wait: *timeouts.tcp_half_closed_acknowledged,
            last_ack: *timeouts.tcp_closing_unacknowledged,
            time_wait: *timeouts.tcp_closing,
            close: *timeouts.tcp_reset,
            retransmitted: *timeouts.tcp_retransmitted,
            unacknowledged: *timeouts.tcp_unacknowledged,
            most_repeated: *tcp.retransmissions,
        };
        Self {
            limits,
            is_strict: *tcp.tracking == TcpTracking::Strict,
            keeps_windows: *tcp.tracking == TcpTracking::Windows,
            udp_age: Duration::from_secs(u64::from(*timeouts.udp_answered_after)),
            udp: *timeouts.udp,
            udp_answered: *timeouts.udp_answered,
            records: Vec::new(),
        }
    }

    /// Whether connections are held against their flags.
    pub(super) fn is_strict(&self) -> bool {
        self.is_strict
    }

    /// Whether connections are held against their windows.
    pub(super) fn keeps_windows(&self) -> bool {
        self.keeps_windows
    }

    /// Whether a segment may not open a connection, where connections are held against their windows.
    pub(super) fn refuses_to_begin(&self, flags: TcpFlags) -> bool {
        self.keeps_windows && !Windows::may_begin(flags)
    }

    /// Whether anything is kept at all.
    pub(super) fn is_on(&self) -> bool {
        self.keeps_windows || self.udp_age > Duration::ZERO
    }

    /// A flow was made by this packet.
    pub(super) fn begin(&mut self, id: FlowId, from: Side, packet: &Packet<'_>, now: Instant) {
        let tracked = match packet.session() {
            Some((Protocol::Tcp, ..)) if self.keeps_windows => segment(packet, 0)
                .map_or(Tracked::Nothing, |first| Tracked::Connection(Windows::begin(&first))),
            Some((Protocol::Udp, ..)) if self.udp_age > Duration::ZERO => {
                Tracked::Exchange { begun: now, from, is_answered: false }
            }
            _ => Tracked::Nothing,
        };
        let record = id.0 as usize;
        if record >= self.records.len() {
            self.records.resize(record + 1, Tracked::Nothing);
        }
        if let Some(entry) = self.records.get_mut(record) {
            *entry = tracked;
        }
    }
}

impl Router {
    /// The way of a packet that gets more attention than [`Router::pass`] has for it.
    #[cold]
    pub(super) fn pass_closely(&mut self, id: FlowId, from: Side, packet: &mut Packet<'_>) -> Step {
        let (id, judged) = self.track(id, from, packet)?;
        if !matches!(judged, Judged::Dropped(_)) {
            self.heard(id, from);
        }
        match (judged, from) {
            // Its destination stays the router, which is no hop.
            (Judged::Dropped(reason), Side::Outside) => return Err(reason.into()),
            (Judged::Dropped(reason), Side::Inside) => {
                self.passable(from, opposite(from), packet)?;
                return Err(reason.into());
            }
            _ => self.passable(from, opposite(from), packet)?,
        }
        self.look_closely(id, from, packet)?;
        self.read(id, from, packet)?;
        let Some(passing) = self.touch(id, from, packet) else {
            return Err(DropReason::NoTranslation.into());
        };
        self.record_route(from, &passing, packet);
        let egress = self.depart(from, &passing, Passage::Translated, packet);
        if judged == Judged::Ends {
            self.end_translation(id, TranslationEnd::Reset);
        }
        Ok(egress)
    }

    /// Holds a packet against what is kept of its translation; where it is the first of another connection, makes the
    /// translation for that.
    fn track(&mut self, id: FlowId, from: Side, packet: &Packet<'_>) -> Result<(FlowId, Judged), Stop> {
        let judged = self.judge(id, from, packet);
        if judged != Judged::BeginsAnew {
            return Ok((id, judged));
        }
        self.end_translation(id, TranslationEnd::Replaced);
        let Some((protocol, source, destination)) = packet.session() else {
            return Err(DropReason::NoTranslation.into());
        };
        let id = match from {
            Side::Inside => self.create_outbound(protocol, source, destination, packet)?,
            Side::Outside => self.create_inbound(protocol, source, destination, packet)?,
        };
        Ok((id, self.judge(id, from, packet)))
    }

    /// What tracking says of a packet of a translation; what it says of the connection is noted.
    pub(super) fn judge(&mut self, id: FlowId, from: Side, packet: &Packet<'_>) -> Judged {
        let now = self.events.now();
        let Some(flow) = self.flows.get(id) else { return Judged::Passes };
        let way = if (from == Side::Inside) == (flow.origin == Origin::Outbound) {
            Way::Original
        } else {
            Way::Reply
        };
        let rewritten_by =
            packet.tcp().map_or(0, |tcp| self.grown_at(id, opposite(from), tcp.acknowledgement));
        let Tracking { limits, udp_age, udp, udp_answered, records, .. } = &mut self.tracking;
        let (judged, lifetime) = match records.get_mut(id.0 as usize) {
            Some(Tracked::Connection(windows)) => {
                let Some(segment) = segment(packet, rewritten_by) else { return Judged::Passes };
                match windows.judge(way, &segment, limits) {
                    Verdict::Passes { refresh } => (Judged::Passes, refresh),
                    Verdict::Aside => (Judged::Passes, None),
                    Verdict::Ends => (Judged::Ends, None),
                    Verdict::BeginsAnew => (Judged::BeginsAnew, None),
                    Verdict::OutOfState => (Judged::Dropped(DropReason::OutOfState), None),
                    Verdict::OutOfWindow { distrust } => {
                        if distrust {
                            let most = limits.unacknowledged;
                            self.shorten(id, most);
                        }
                        (Judged::Dropped(DropReason::OutOfWindow), None)
                    }
                }
            }
            Some(Tracked::Exchange { begun, from: opener, is_answered }) => {
                let is_lasting = *is_answered && now > *begun + *udp_age;
                *is_answered |= from != *opener;
                let refreshes = self.lifetimes.udp_is_refreshed_from(from);
                let seconds = if is_lasting { *udp_answered } else { *udp };
                (Judged::Passes, refreshes.then_some(seconds))
            }
            _ => (Judged::Passes, None),
        };
        if let Some(seconds) = lifetime {
            self.refresh(id, self.clock.tick_after.saturating_add(seconds));
        }
        judged
    }

    /// Puts the router's address into a route that `packet` records, where the profile says so.
    pub(super) fn record_route(&self, from: Side, flow: &Passing, packet: &mut Packet<'_>) {
        if self.processes_options && packet.has_options() {
            let towards_inside =
                self.lan.get(usize::from(flow.lan_port)).map_or(self.wan, |port| port.address);
            packet.record_route(if from == Side::Inside { self.wan } else { towards_inside });
        }
    }

    /// A translation lives no longer than `most` seconds from now, unless it is nearly over anyway.
    fn shorten(&mut self, id: FlowId, most: Tick) {
        let Some(flow) = self.flows.get(id) else { return };
        let left = flow.deadline.saturating_sub(self.clock.tick_after);
        if left >= SHORT && left > most {
            self.refresh(id, self.clock.tick_after.saturating_add(most));
        }
    }
}

fn segment<'a>(packet: &'a Packet<'_>, rewritten_by: u32) -> Option<Segment<'a>> {
    const FIXED: usize = 20;
    let tcp = packet.tcp()?;
    let options = packet.as_bytes().get(packet.transport_at() + FIXED..tcp.payload_at).unwrap_or_default();
    Some(Segment {
        flags: tcp.flags,
        sequence: tcp.sequence,
        acknowledgement: tcp.acknowledgement,
        rewritten_by,
        window: packet.tcp_window(),
        length: u32::try_from(packet.tcp_payload().len()).unwrap_or_default(),
        options,
    })
}
