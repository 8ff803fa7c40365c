//! Fragments on their way: the first one is translated like a whole packet, its kin follow it.

use super::{Router, Step, Stop, Timer};
use crate::event::{EventKind, Interface, Passage};
use crate::packet::{End, Fragment, Malformed, Packet, Protocol, Transport, fragment_sizes, pieces};
use crate::profile::{FragmentCut, FragmentHandling};
use crate::reason::DropReason;
use crate::state::fragment::{Followed, FragmentKey};
use crate::state::reassembly::{Added, Cuts};

impl Router {
    /// Sends whole packets and first fragments the way `translate` knows, and later fragments after their first.
    #[inline]
    pub(super) fn with_fragments(
        &mut self,
        ingress: Interface,
        packet: &mut Packet<'_>,
        translate: impl FnOnce(&mut Self, Interface, &mut Packet<'_>) -> Step,
    ) -> Step {
        let kind = packet.fragment();
        if kind == Fragment::Whole {
            return translate(self, ingress, packet);
        }
        match *self.profile.fragments.handling {
            FragmentHandling::Follow => {}
            FragmentHandling::Drop => return Err(DropReason::Fragment.into()),
            FragmentHandling::Reassemble => {
                let cuts = self.reassemble(ingress, packet)?;
                if *self.profile.fragments.cut == FragmentCut::ToMtu {
                    return translate(self, ingress, packet);
                }
                self.reassembly.was_read = false;
                let egress = translate(self, ingress, packet)?;
                return self.cut_again(egress, &cuts, packet);
            }
        }
        if kind == Fragment::First && packet.is_headless() {
            return Err(DropReason::Malformed(Malformed::TransportLength).into());
        }
        let key = FragmentKey::new(ingress, &packet.header());
        if kind == Fragment::Later {
            return match self.fragments.followed(&key) {
                Some(followed) => {
                    follow(&followed, packet)?;
                    self.passed(followed.egress, None, Passage::FragmentTranslated);
                    Ok(followed.egress)
                }
                None => self.hold(key, packet),
            };
        }
        let egress = translate(self, ingress, packet)?;
        let header = packet.header();
        let followed = Followed {
            egress,
            source: header.source,
            destination: header.destination,
            identification: header.identification,
        };
        self.release(key, followed);
        Ok(egress)
    }

    /// Puts the whole packet in the place of the last fragment to come; the others wait.
    #[cold]
    fn reassemble(&mut self, ingress: Interface, packet: &mut Packet<'_>) -> Result<Cuts, Stop> {
        let header = packet.header();
        let key = FragmentKey::new(ingress, &header);
        let deadline = self.clock.tick_after.saturating_add(*self.profile.fragments.timeout);
        let number = self.reassembly.next_number();
        match self.reassembly.add(key, packet, deadline) {
            Added::Refused => Err(DropReason::FragmentContradicts.into()),
            Added::NoRoom => Err(DropReason::FragmentNoRoom.into()),
            Added::Waits { is_first } => {
                if is_first {
                    self.timers.set(deadline, Timer::Reassembly(number));
                }
                self.events.push(EventKind::FragmentHeld {
                    source: header.source,
                    destination: header.destination,
                    identification: header.identification,
                });
                Err(Stop::Taken)
            }
            Added::Complete(mut whole, cuts) => {
                let keeps_cuts = *self.profile.fragments.cut == FragmentCut::AsItCame;
                let uncuttable = if keeps_cuts && cuts.dont_fragment() { cuts.largest } else { 0 };
                match packet.complete(&mut whole, uncuttable) {
                    Ok(()) => Ok(cuts),
                    Err(malformed) => Err(self.malformed_stop(ingress, &mut whole, malformed)),
                }
            }
        }
    }

    /// Sends a packet in the fragments it came in; in others where they do not fit, where the gateway has read it, or where
    /// the first one ends within what is edited.
    fn cut_again(&mut self, egress: Interface, cuts: &Cuts, packet: &Packet<'_>) -> Step {
        let link = if egress == Interface::Wan { self.wan_mtu } else { self.lan_mtu };
        let (bytes, header_length) = (packet.as_bytes(), packet.transport_at());
        let sizes = pulled_together(cuts.sizes(), edited(packet));
        let most = link.min(cuts.largest);
        let as_before = !self.reassembly.was_read
            && sizes.iter().sum::<usize>() + header_length == bytes.len()
            && sizes.iter().all(|size| size + header_length <= most)
            && stands_alone(&sizes);
        let sizes = if as_before { sizes } else { fragment_sizes(bytes, most) };
        self.counters.forwarded += 1;
        // Linux's ip_fraglist_prepare writes every fragment's flags anew, ip_frag_next keeps DF.
        let pieces = pieces(bytes, &sizes, cuts.dont_fragment() && !as_before);
        self.transmits.extend(pieces.into_iter().map(|piece| (egress, piece)));
        Err(Stop::Taken)
    }

    /// A packet may not have been whole in time.
    pub(super) fn look_at_reassembly(&mut self, number: u32) {
        match self.reassembly.deadline(number) {
            Some(deadline) if deadline > self.clock.tick => {
                self.timers.set(deadline, Timer::Reassembly(number));
            }
            _ => {
                if let Some((source, destination)) = self.reassembly.expire(number) {
                    self.stopped(Stop::Dropped(DropReason::ReassemblyTimeout), source, destination);
                }
            }
        }
    }

    fn hold(&mut self, key: FragmentKey, packet: &Packet<'_>) -> Step {
        let Self { fragments, timers, clock, profile, .. } = self;
        let deadline = clock.tick_after.saturating_add(*profile.fragments.timeout);
        let held = fragments.hold(key, packet.as_bytes(), |serial| {
            timers.set(deadline, Timer::Fragment(serial));
        });
        if !held {
            return Err(DropReason::FragmentNoRoom.into());
        }
        let header = packet.header();
        self.events.push(EventKind::FragmentHeld {
            source: header.source,
            destination: header.destination,
            identification: header.identification,
        });
        Err(Stop::Taken)
    }

    /// Later fragments follow from now on, those that waited at once.
    fn release(&mut self, key: FragmentKey, followed: Followed) {
        let Self { fragments, timers, clock, profile, .. } = self;
        let deadline = clock.tick_after.saturating_add(*profile.fragments.timeout);
        let waiting = fragments.follow(key, followed, |serial| {
            timers.set(deadline, Timer::Fragment(serial));
        });
        for mut bytes in waiting {
            let Ok(mut packet) = Packet::parse(&mut bytes) else { continue };
            let (source, destination) = (packet.source(), packet.destination());
            match follow(&followed, &mut packet) {
                Ok(()) => {
                    self.counters.forwarded += 1;
                    self.passed(followed.egress, None, Passage::FragmentTranslated);
                    self.transmit(followed.egress, bytes);
                }
                Err(stop) => self.stopped(stop, source, destination),
            }
        }
    }

    /// The first fragment did not come in time.
    pub(super) fn expire_fragments(&mut self, serial: u32) {
        for mut bytes in self.fragments.expire(serial) {
            let Ok(packet) = Packet::parse(&mut bytes) else { continue };
            let (source, destination) = (packet.source(), packet.destination());
            self.stopped(Stop::Dropped(DropReason::FragmentTimeout), source, destination);
        }
    }
}

/// The fragments' sizes once the first one holds at least `least` octets, which it takes from those behind it (Linux
/// `__pskb_pull_tail`).
fn pulled_together(sizes: Vec<usize>, least: usize) -> Vec<usize> {
    let mut sizes = sizes.into_iter();
    let mut first = sizes.next().unwrap_or_default();
    let mut missing = least.saturating_sub(first);
    let mut rest = Vec::new();
    for size in sizes {
        let taken = missing.min(size);
        (first, missing) = (first + taken, missing - taken);
        if taken < size {
            rest.push(size - taken);
        }
    }
    std::iter::once(first).chain(rest).collect()
}

/// Whether these can be fragments as they are: several, and all but the last of a length that an offset can say.
fn stands_alone(sizes: &[usize]) -> bool {
    sizes.len() > 1
        && sizes.split_last().is_some_and(|(_, others)| others.iter().all(|size| size.is_multiple_of(8)))
}

/// How much of a packet's content a translator edits.
fn edited(packet: &Packet<'_>) -> usize {
    const TCP_HEADER: usize = 20;
    const OTHER_HEADER: usize = 8;
    const QUOTED_HEADER: usize = 20;
    let length = packet.as_bytes().len() - packet.transport_at();
    match (packet.transport(), packet.quote().map(|quote| quote.protocol)) {
        (Transport::Tcp(_), _) => TCP_HEADER,
        (Transport::Other, _) if packet.header().protocol != Protocol::GRE => 0,
        // Where the quote has it all.
        (Transport::IcmpError, Some(Protocol::Tcp))
            if length >= OTHER_HEADER + QUOTED_HEADER + TCP_HEADER =>
        {
            OTHER_HEADER + QUOTED_HEADER + TCP_HEADER
        }
        (Transport::IcmpError, Some(Protocol::Other(number))) if number != Protocol::GRE => {
            OTHER_HEADER + QUOTED_HEADER
        }
        (Transport::IcmpError, _) => OTHER_HEADER + QUOTED_HEADER + OTHER_HEADER,
        _ => OTHER_HEADER,
    }
}

/// A later fragment has addresses to translate, and no port.
fn follow(followed: &Followed, packet: &mut Packet<'_>) -> Result<(), Stop> {
    if packet.ttl() <= 1 {
        return Err(DropReason::TtlExceeded.into());
    }
    packet.decrement_ttl();
    packet.set_identification(followed.identification);
    packet.set_address(End::Source, followed.source);
    packet.set_address(End::Destination, followed.destination);
    Ok(())
}
