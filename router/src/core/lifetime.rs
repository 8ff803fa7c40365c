//! How long translations live, what makes them live longer, and what ends them: the profile's values, laid out for the
//! packet path.

use quirknat_alg::Side;

use crate::event::TranslationEnd;
use crate::packet::TcpFlags;
use crate::profile::{OnEnd, Profile, Refresh};
use crate::state::progress::{Class, Progress};
use crate::state::timer::Tick;

#[derive(Debug)]
pub(super) struct Lifetimes {
    /// Seconds, by class.
    seconds: [Tick; Class::COUNT],
    /// A bit for each class and side: whether a packet from there refreshes.
    refreshed: u16,
    /// TCP flags that say nothing of a connection's end here.
    ignored: u8,
    on_rst: OnEnd,
    on_fin: OnEnd,
}

impl Lifetimes {
    pub(super) fn new(profile: &Profile) -> Self {
        let (timeouts, tcp) = (&profile.timeouts, &profile.tcp);
        let classes = [
            (Class::Query, *timeouts.icmp, *timeouts.icmp_refresh),
            (Class::OneWay, *timeouts.udp, *timeouts.udp_refresh),
            (Class::TwoWay, *timeouts.udp_answered, *timeouts.udp_refresh),
            (Class::Opening, *timeouts.tcp_opening, *timeouts.tcp_refresh),
            (Class::Established, *timeouts.tcp_established, *timeouts.tcp_refresh),
            (Class::HalfClosed, *timeouts.tcp_half_closed, *timeouts.tcp_refresh),
            (Class::Closing, *timeouts.tcp_closing, *timeouts.tcp_refresh),
            (Class::Reset, *timeouts.tcp_reset, *timeouts.tcp_refresh),
        ];
        let mut lifetimes = Self {
            seconds: [0; Class::COUNT],
            refreshed: 0,
            ignored: 0,
            on_rst: *tcp.on_rst,
            on_fin: *tcp.on_fin,
        };
        for (class, seconds, refresh) in classes {
            if let Some(place) = lifetimes.seconds.get_mut(class as usize) {
                *place = seconds;
            }
            for (side, other_alone) in [(Side::Inside, Refresh::Inbound), (Side::Outside, Refresh::Outbound)]
            {
                if refresh != other_alone {
                    lifetimes.refreshed |= bit(class, side);
                }
            }
        }
        for (on_end, flag) in [(lifetimes.on_rst, TcpFlags::RST), (lifetimes.on_fin, TcpFlags::FIN)] {
            if on_end == OnEnd::Keep {
                lifetimes.ignored |= flag;
            }
        }
        lifetimes
    }

    /// How long a session lives from now, in seconds.
    #[inline]
    pub(super) fn seconds(&self, progress: Progress) -> Tick {
        self.seconds.get(progress.class() as usize).copied().unwrap_or_default()
    }

    /// Whether a packet from `side` makes a session live longer.
    #[inline]
    pub(super) fn refreshes(&self, progress: Progress, side: Side) -> bool {
        self.refreshed & bit(progress.class(), side) != 0
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

#[inline]
fn bit(class: Class, side: Side) -> u16 {
    1 << (class as u16 * 2 + u16::from(side == Side::Outside))
}
