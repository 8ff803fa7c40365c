//! How many translations each LAN host has, where the profile limits them.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Counts nothing where there is no limit.
#[derive(Debug)]
pub(super) struct HostLimit {
    limit: Option<u32>,
    translations: BTreeMap<Ipv4Addr, u32>,
}

impl HostLimit {
    /// 0: there is no limit.
    pub(super) fn new(limit: u32) -> Self {
        Self { limit: (limit > 0).then_some(limit), translations: BTreeMap::new() }
    }

    pub(super) fn is_at_limit(&self, host: Ipv4Addr) -> bool {
        self.limit.is_some_and(|limit| self.translations.get(&host).is_some_and(|count| *count >= limit))
    }

    pub(super) fn add(&mut self, host: Ipv4Addr) {
        if self.limit.is_some() {
            *self.translations.entry(host).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, host: Ipv4Addr) {
        if let Some(count) = self.translations.get_mut(&host) {
            *count -= 1;
            if *count == 0 {
                self.translations.remove(&host);
            }
        }
    }
}
