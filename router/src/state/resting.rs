//! External ports that nobody gets for a while after their mapping ended (RFC 6888 REQ-8).

use std::collections::{BTreeMap, VecDeque};

use super::timer::Tick;
use crate::packet::Protocol;

/// The ports of one router that rest; empty for good where a profile has no such delay.
#[derive(Debug, Default)]
pub(crate) struct Resting {
    /// Until when.
    until: BTreeMap<(Protocol, u16), Tick>,
    /// All of them in the order in which their rest is over, since all rest for the same time.
    order: VecDeque<(Tick, (Protocol, u16))>,
}

impl Resting {
    /// `port` rests from `now` until `until`.
    pub(crate) fn add(&mut self, protocol: Protocol, port: u16, now: Tick, until: Tick) {
        while let Some((over, key)) = self.order.front().copied().filter(|(over, _)| *over <= now) {
            self.order.pop_front();
            // A later rest of the same port goes on.
            if self.until.get(&key) == Some(&over) {
                self.until.remove(&key);
            }
        }
        self.until.insert((protocol, port), until);
        self.order.push_back((until, (protocol, port)));
    }

    /// Whether `port` rests at `now`.
    pub(crate) fn has(&self, protocol: Protocol, port: u16, now: Tick) -> bool {
        !self.until.is_empty() && self.until.get(&(protocol, port)).is_some_and(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_rests_until_its_last_rest_is_over_and_what_is_over_takes_no_room() {
        let mut resting = Resting::default();
        resting.add(Protocol::Udp, 5000, 0, 120);
        resting.add(Protocol::Udp, 5000, 10, 130);
        assert!(resting.has(Protocol::Udp, 5000, 129) && !resting.has(Protocol::Udp, 5000, 130));
        assert!(!resting.has(Protocol::Tcp, 5000, 0) && !resting.has(Protocol::Udp, 5001, 0));
        resting.add(Protocol::Tcp, 6000, 120, 240);
        assert!(resting.has(Protocol::Udp, 5000, 129), "its later rest goes on");
        resting.add(Protocol::Tcp, 6001, 500, 620);
        assert_eq!((resting.until.len(), resting.order.len()), (1, 1));
    }
}
