//! How long translations live, what makes them live longer, and what ends them: the profile's values, laid out for the
//! packet path.

use quirknat_alg::Side;

use crate::event::TranslationEnd;
use crate::packet::TcpFlags;
use crate::profile::{OnEnd, Profile, Refresh, TcpTracking};
use crate::state::progress::{Class, Progress};
use crate::state::timer::Tick;

#[derive(Debug)]
pub(super) struct Lifetimes {
    by_progress: [Lifetime; Progress::ALL.len()],
    /// TCP flags that say nothing of a connection's end here.
    ignored: u8,
    on_rst: OnEnd,
    on_fin: OnEnd,
    udp_refresh: Refresh,
}

/// Of a session that has come so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lifetime {
    /// From its last refresh.
    pub(super) seconds: Tick,
    /// `None` where tracking has the say.
    refresh: Option<Refresh>,
}

impl Lifetime {
    /// Of no session.
    const NONE: Self = Self { seconds: 0, refresh: None };

    /// Whether a packet from `side` makes a session live longer.
    #[inline]
    pub(super) fn is_refreshed_from(self, side: Side) -> bool {
        self.refresh.is_some_and(|refresh| counts(refresh, side))
    }

    /// Whether a packet from `side` that has brought a session this far sets this lifetime: a segment does, whoever sent
    /// it.
    pub(super) fn is_set_from(self, side: Side, progress: Progress) -> bool {
        self.refresh.is_some_and(|refresh| progress.is_tcp() || counts(refresh, side))
    }
}

#[inline]
fn counts(refresh: Refresh, side: Side) -> bool {
    match refresh {
        Refresh::Both => true,
        Refresh::Outbound => side == Side::Inside,
        Refresh::Inbound => side == Side::Outside,
    }
}

impl Lifetimes {
    pub(super) fn new(profile: &Profile) -> Self {
        let (timeouts, tcp) = (&profile.timeouts, &profile.tcp);
        let by_progress = Progress::ALL.map(|progress| {
            let (seconds, refresh) = match progress.class() {
                Class::Query => (&timeouts.icmp, &timeouts.icmp_refresh),
                Class::QueryAnswered => (&timeouts.icmp_answered, &timeouts.icmp_refresh),
                Class::Other => (&timeouts.other, &timeouts.udp_refresh),
                Class::OtherAnswered => (&timeouts.other_answered, &timeouts.udp_refresh),
                Class::Gre => (&timeouts.gre, &timeouts.udp_refresh),
                Class::GreAnswered => (&timeouts.gre_answered, &timeouts.udp_refresh),
                Class::OneWay => (&timeouts.udp, &timeouts.udp_refresh),
                Class::TwoWay => (&timeouts.udp_answered, &timeouts.udp_refresh),
                Class::Opening => (&timeouts.tcp_opening, &timeouts.tcp_refresh),
                Class::Established => (&timeouts.tcp_established, &timeouts.tcp_refresh),
                Class::HalfClosed => (&timeouts.tcp_half_closed, &timeouts.tcp_refresh),
                Class::Closing => (&timeouts.tcp_closing, &timeouts.tcp_refresh),
                Class::Reset => (&timeouts.tcp_reset, &timeouts.tcp_refresh),
            };
            let is_tracked = match progress.class() {
                Class::Query
                | Class::QueryAnswered
                | Class::Other
                | Class::OtherAnswered
                | Class::Gre
                | Class::GreAnswered => false,
                Class::OneWay | Class::TwoWay => *timeouts.udp_answered_after > 0,
                _ => *tcp.tracking == TcpTracking::Windows,
            };
            Lifetime { seconds: **seconds, refresh: (!is_tracked).then_some(**refresh) }
        });
        let (on_rst, on_fin) = (*tcp.on_rst, *tcp.on_fin);
        let ignored = |on_end, flag| if on_end == OnEnd::Keep { flag } else { 0 };
        let ignored = ignored(on_rst, TcpFlags::RST) | ignored(on_fin, TcpFlags::FIN);
        Self { by_progress, ignored, on_rst, on_fin, udp_refresh: *timeouts.udp_refresh }
    }

    /// Whether a datagram from `side` makes its exchange live longer.
    pub(super) fn udp_is_refreshed_from(&self, side: Side) -> bool {
        counts(self.udp_refresh, side)
    }

    #[inline]
    pub(super) fn of(&self, progress: Progress) -> Lifetime {
        self.by_progress.get(progress as usize).copied().unwrap_or(Lifetime::NONE)
    }

    /// A segment's flags, as far as they say anything of its connection here.
    #[inline]
    pub(super) fn heeded(&self, flags: TcpFlags) -> TcpFlags {
        TcpFlags(flags.0 & !self.ignored)
    }

    /// Why a connection that has come so far has no translation any more.
    pub(super) fn end(&self, progress: Progress) -> Option<TranslationEnd> {
        match progress {
            Progress::Reset if self.on_rst == OnEnd::Remove => Some(TranslationEnd::Reset),
            Progress::FinBoth if self.on_fin == OnEnd::Remove => Some(TranslationEnd::Closed),
            _ => None,
        }
    }
}
