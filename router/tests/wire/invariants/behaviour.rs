//! Routers of all kinds.

use proptest::prelude::{Strategy, any};
use proptest::sample::select;
use quirknat_alg::ControlOutlives;
use quirknat_router::profile::{
    AddressConflict, Filtering, HairpinnedErrors, Hairpinning, Mapping, MidStream, OnEnd, PortAllocation,
    PortConflict, PortRange, Profile, Refresh, TcpTracking, UnsolicitedTcp, WhenFull,
};

use super::{CLOSING, ESTABLISHED, OPENINGS, TABLE};

/// How the router behaves, where that matters here.
#[derive(Debug, Clone)]
pub(super) struct Behaviour {
    pub(super) mapping: Mapping,
    pub(super) filtering: Filtering,
    pub(super) allocation: PortAllocation,
    pub(super) on_conflict: PortConflict,
    pub(super) overloading: bool,
    pub(super) hairpinning: Hairpinning,
    pub(super) refresh: Refresh,
    pub(super) on_end: OnEnd,
    pub(super) strict: bool,
    pub(super) per_host: u32,
    pub(super) syn_answer_delay: u32,
    pub(super) reuse_delay: u32,
    pub(super) when_full: WhenFull,
    pub(super) dmz: bool,
    pub(super) control_outlives: ControlOutlives,
}

pub(super) fn behaviour() -> impl Strategy<Value = Behaviour> {
    let mapping = select(vec![
        Mapping::EndpointIndependent,
        Mapping::AddressDependent,
        Mapping::AddressAndPortDependent,
    ]);
    let filtering = select(vec![
        Filtering::EndpointIndependent,
        Filtering::AddressDependent,
        Filtering::AddressAndPortDependent,
    ]);
    let allocation =
        select(vec![PortAllocation::Preserving, PortAllocation::Sequential, PortAllocation::Random]);
    let on_conflict = select(vec![
        PortConflict::Next,
        PortConflict::Upwards,
        PortConflict::Random,
        PortConflict::Refuse,
        PortConflict::TakeOver,
    ]);
    let hairpinning =
        select(vec![Hairpinning::Off, Hairpinning::InternalSource, Hairpinning::ExternalSource]);
    let refresh = select(vec![Refresh::Outbound, Refresh::Inbound, Refresh::Both]);
    let on_end = select(vec![OnEnd::Keep, OnEnd::Transitory, OnEnd::Remove]);
    let when_full = select(vec![
        WhenFull::Refuse,
        WhenFull::EvictOldest,
        WhenFull::EvictIdle,
        WhenFull::EvictUnestablished,
    ]);
    let delays = (select(vec![0_u32, 6]), select(vec![0_u32, 60]));
    let control_outlives =
        select(vec![ControlOutlives::Nothing, ControlOutlives::Forwards, ControlOutlives::DataConnections]);
    let limits = (select(vec![0_u32, 2]), delays, when_full, any::<bool>(), control_outlives);
    (
        (mapping, filtering, allocation, on_conflict, any::<bool>(), hairpinning),
        (refresh, on_end, any::<bool>()),
        limits,
    )
        .prop_map(
            |(
                (mapping, filtering, allocation, on_conflict, overloading, hairpinning),
                (refresh, on_end, strict),
                (per_host, (syn_answer_delay, reuse_delay), when_full, dmz, control_outlives),
            )| {
                // A profile that says otherwise is refused.
                let (mapping, filtering) = if overloading {
                    (Mapping::AddressAndPortDependent, Filtering::AddressAndPortDependent)
                } else {
                    (mapping, filtering)
                };
                let is_reused = overloading || on_conflict == PortConflict::TakeOver;
                let reuse_delay = if is_reused { 0 } else { reuse_delay };
                Behaviour {
                    mapping,
                    filtering,
                    allocation,
                    on_conflict,
                    overloading,
                    hairpinning,
                    refresh,
                    on_end,
                    strict,
                    per_host,
                    syn_answer_delay,
                    reuse_delay,
                    when_full,
                    dmz,
                    control_outlives,
                }
            },
        )
}

impl Behaviour {
    pub(super) fn set(&self, profile: &mut Profile) {
        for sessions in [&mut profile.nat.tcp, &mut profile.nat.udp] {
            sessions.mapping.value = self.mapping;
            sessions.filtering.value = self.filtering;
            sessions.hairpinning.value = self.hairpinning;
        }
        profile.nat.icmp.mapping.value = self.mapping;
        profile.nat.icmp.filtering.value = self.filtering;
        profile.icmp.hairpinned_errors.value = HairpinnedErrors::Translate;
        profile.ports.allocation.value = self.allocation;
        profile.ports.on_conflict.value = self.on_conflict;
        profile.ports.overloading.value = self.overloading;
        if self.on_conflict == PortConflict::TakeOver {
            profile.nat.other.on_conflict.value = AddressConflict::TakeOver;
        }
        profile.ports.range.value = PortRange { first: 5000, last: 5005 };
        let timeouts = &mut profile.timeouts;
        for refresh in [&mut timeouts.tcp_refresh, &mut timeouts.udp_refresh, &mut timeouts.icmp_refresh] {
            refresh.value = self.refresh;
        }
        timeouts.tcp_established.value = ESTABLISHED;
        timeouts.tcp_half_closed.value = ESTABLISHED;
        timeouts.tcp_closing.value = CLOSING;
        profile.alg.ftp.control_outlives.value = self.control_outlives;
        profile.tcp.on_rst.value = self.on_end;
        profile.tcp.on_fin.value = self.on_end;
        if self.strict {
            profile.tcp.tracking.value = TcpTracking::Strict;
            profile.tcp.mid_stream.value = MidStream::Drop;
        }
        if self.syn_answer_delay > 0 {
            profile.wan.unsolicited_tcp.value = UnsolicitedTcp::Reset;
            profile.wan.syn_answer_delay.value = self.syn_answer_delay;
        }
        profile.services.nat_pmp.value = true;
        profile.services.nat_pmp_forwards.value = u32::try_from(OPENINGS).unwrap();
        profile.services.nat_pmp_lifetime.value = 100;
        profile.services.upnp_igd.value = true;
        profile.services.upnp_igd_forwards.value = u32::try_from(OPENINGS).unwrap();
        profile.ports.reuse_delay.value = self.reuse_delay;
        profile.table.translations.value = u32::try_from(TABLE).unwrap();
        profile.table.per_host.value = self.per_host;
        profile.table.when_full.value = self.when_full;
    }
}
