//! Fragments: those of a packet follow its first one's translation, and wait for it where they come before it
//! (RFC 4787 REQ-14).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::event::Interface;
use crate::packet::Header;

/// Packets whose fragments are under way. One more takes the place of the oldest whose first fragment came, which is
/// most likely complete; where all wait for theirs it takes none, and its later fragments are dropped.
const PACKETS: usize = 256;

/// What fragments of one packet have in common (RFC 791 §3.2), and where they come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FragmentKey {
    ingress: Interface,
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    identification: u16,
}

impl FragmentKey {
    pub(crate) fn ends(&self) -> (Ipv4Addr, Ipv4Addr) {
        (self.source, self.destination)
    }

    pub(crate) fn new(ingress: Interface, header: &Header) -> Self {
        let Header { source, destination, protocol, identification, .. } = *header;
        Self { ingress, source, destination, protocol, identification }
    }
}

/// What the first fragment's translation was: where its kin go, under which address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Followed {
    pub(crate) egress: Interface,
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Ipv4Addr,
    pub(crate) identification: u16,
}

#[derive(Debug)]
enum Entry {
    Waiting(Vec<Vec<u8>>),
    Known(Followed),
}

/// The fragments of one router.
#[derive(Debug)]
pub(crate) struct Fragments {
    limit: usize,
    held: usize,
    entries: BTreeMap<FragmentKey, Entry>,
    /// The packets under way by the number their timer has.
    numbered: BTreeMap<u32, FragmentKey>,
    next_number: u32,
}

impl Fragments {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, held: 0, entries: BTreeMap::new(), numbered: BTreeMap::new(), next_number: 0 }
    }

    /// The translation that a later fragment follows.
    pub(crate) fn followed(&self, key: &FragmentKey) -> Option<Followed> {
        match self.entries.get(key) {
            Some(Entry::Known(followed)) => Some(*followed),
            _ => None,
        }
    }

    /// Lets a later fragment wait; `set_timer` is called with the number to expire where the packet is a new one.
    /// False: there is no room.
    pub(crate) fn hold(&mut self, key: FragmentKey, fragment: &[u8], set_timer: impl FnOnce(u32)) -> bool {
        let is_new = !self.entries.contains_key(&key);
        if self.held >= self.limit || (is_new && !self.make_room()) {
            return false;
        }
        if is_new {
            set_timer(self.number(key));
        }
        let entry = self.entries.entry(key).or_insert_with(|| Entry::Waiting(Vec::new()));
        if let Entry::Waiting(fragments) = entry {
            fragments.push(fragment.to_vec());
            self.held += 1;
        }
        true
    }

    /// The first fragment was translated: gives out the ones that waited for it, in the order they came.
    pub(crate) fn follow(
        &mut self,
        key: FragmentKey,
        followed: Followed,
        set_timer: impl FnOnce(u32),
    ) -> Vec<Vec<u8>> {
        if !self.entries.contains_key(&key) {
            if !self.make_room() {
                return Vec::new();
            }
            set_timer(self.number(key));
        }
        match self.entries.insert(key, Entry::Known(followed)) {
            Some(Entry::Waiting(fragments)) => {
                self.held = self.held.saturating_sub(fragments.len());
                fragments
            }
            _ => Vec::new(),
        }
    }

    /// The time of the packet with this number is over; gives out the fragments that waited in vain.
    pub(crate) fn expire(&mut self, number: u32) -> Vec<Vec<u8>> {
        match self.numbered.remove(&number).and_then(|key| self.entries.remove(&key)) {
            Some(Entry::Waiting(fragments)) => {
                self.held = self.held.saturating_sub(fragments.len());
                fragments
            }
            _ => Vec::new(),
        }
    }

    fn make_room(&mut self) -> bool {
        if self.entries.len() < PACKETS {
            return true;
        }
        let followed = |key| matches!(self.entries.get(key), Some(Entry::Known(_)));
        let oldest = self.numbered.iter().find(|(_, key)| followed(key)).map(|(number, _)| *number);
        if let Some(number) = oldest {
            self.expire(number);
        }
        oldest.is_some()
    }

    fn number(&mut self, key: FragmentKey) -> u32 {
        let number = self.next_number;
        self.next_number = number.wrapping_add(1);
        self.numbered.insert(number, key);
        number
    }
}
