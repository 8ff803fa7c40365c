//! Scenarios changed by the program itself, to see what would be if. A changed one is played only if it can be built.

use quirknat_router::config::StaticForward;
use quirknat_router::profile::Profile;
use std::sync::Arc;
use toml::Spanned;

use super::language::{FtpStep, RouterSpec, Step};
use super::{INTERNET, Scenario, resolve};

impl Scenario {
    /// The FTP session at `position`, as verdicts count steps: those of a parallel one each for themselves, from 0.
    pub fn ftp_step(&self, position: usize) -> Option<&FtpStep> {
        leaf(&self.step, &mut { position })?.ftp.as_ref().map(Spanned::get_ref)
    }

    /// The same, to be changed.
    pub fn ftp_step_mut(&mut self, position: usize) -> Option<&mut FtpStep> {
        leaf_mut(&mut self.step, &mut { position })?.ftp.as_mut().map(Spanned::get_mut)
    }

    /// The scenario up to that step and those beside it.
    #[must_use]
    pub fn up_to(&self, position: usize) -> Self {
        let mut left = position;
        let mut whole = self.clone();
        if let Some(place) =
            whole.step.iter().position(|step| leaf(std::slice::from_ref(step), &mut left).is_some())
        {
            whole.step.truncate(place + 1);
        }
        whole
    }

    /// The networks around one host and not around the other, each from the host outwards: the routers that a
    /// connection from the other one comes to, the last one first.
    pub fn networks_between(&self, host: &str, other: &str) -> Vec<String> {
        let around = |name: &str| {
            let on = self.host.get(name).map_or(INTERNET, |host| host.on.get_ref());
            resolve::networks_around(self, on)
        };
        let others = around(other);
        around(host).into_iter().filter(|network| !others.contains(network)).map(str::to_owned).collect()
    }

    /// How many bytes its FTP sessions transfer in all, if they work; listings not counted.
    pub fn bytes_of_files(&self) -> usize {
        let bytes = |step: &FtpStep| match (&step.put, &step.get) {
            (Some(put), _) => put.size,
            (None, Some(file)) => {
                let server = self.host.get(step.server.get_ref()).and_then(|host| host.ftp_server.as_ref());
                server.and_then(|server| server.files.get(file.get_ref())).copied().unwrap_or_default()
            }
            (None, None) => 0,
        };
        let mut sum = 0_usize;
        each_leaf(&self.step, &mut |step| {
            sum = sum.saturating_add(step.ftp.as_ref().map_or(0, |step| bytes(step.get_ref())));
        });
        sum
    }

    /// The router of a network.
    pub fn router_mut(&mut self, network: &str) -> Option<&mut RouterSpec> {
        self.network.get_mut(network).map(|network| &mut network.router)
    }

    /// Whether its routers can be set up as it says.
    pub fn can_be_built(&self) -> bool {
        self.network.iter().all(|(name, network)| {
            let (Some(profile), Ok(config)) =
                (network.router.resolved.as_deref(), resolve::config(self, name, network))
            else {
                return false;
            };
            config.check(profile).is_ok()
        })
    }
}

impl RouterSpec {
    /// Its profile, to be changed for this router alone.
    pub fn profile_mut(&mut self) -> Option<&mut Profile> {
        self.resolved.as_mut().map(Arc::make_mut)
    }

    /// Its profile.
    pub fn profile(&self) -> Option<&Profile> {
        self.resolved.as_deref()
    }

    /// Its forwards.
    pub fn forwards(&self) -> impl Iterator<Item = StaticForward> {
        self.forward.iter().filter_map(|forward| forward.get_ref().parse().ok())
    }

    /// Adds a forward; one that overlaps it gives way.
    pub fn add_forward(&mut self, new: &StaticForward) {
        self.forward
            .retain(|forward| forward.get_ref().parse::<StaticForward>().is_ok_and(|old| !old.overlaps(new)));
        self.forward.push(Spanned::new(0..0, new.to_string()));
    }
}

fn each_leaf(steps: &[Step], see: &mut impl FnMut(&Step)) {
    for step in steps {
        match &step.parallel {
            Some(beside) => each_leaf(beside.get_ref(), see),
            None => see(step),
        }
    }
}

fn leaf<'a>(steps: &'a [Step], left: &mut usize) -> Option<&'a Step> {
    for step in steps {
        match &step.parallel {
            Some(beside) => {
                if let Some(found) = leaf(beside.get_ref(), left) {
                    return Some(found);
                }
            }
            None if *left == 0 => return Some(step),
            None => *left -= 1,
        }
    }
    None
}

fn leaf_mut<'a>(steps: &'a mut [Step], left: &mut usize) -> Option<&'a mut Step> {
    for step in steps {
        if step.parallel.is_some() {
            let beside = step.parallel.as_mut()?.get_mut();
            if let Some(found) = leaf_mut(beside, left) {
                return Some(found);
            }
        } else if *left == 0 {
            return Some(step);
        } else {
            *left -= 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_counted_as_verdicts_count_them() {
        let text = r#"
title = "two beside each other, and one behind"
[host.pc]
on = "internet"
address = "198.51.100.50"
[host.server]
on = "internet"
address = "198.51.100.9"
ftp-server = {}
[[step]]
wait = "1 s"
[[step]]
[[step.parallel]]
wait = "1 s"
[[step.parallel]]
ftp = { client = "pc", server = "server", source-port = 4000 }
[[step]]
ftp = { client = "pc", server = "server", source-port = 4001 }
[[step]]
wait = "1 s"
"#;
        let mut scenario = Scenario::from_toml("steps.toml", text).unwrap();
        let port = |scenario: &Scenario, at| scenario.ftp_step(at).and_then(|step| step.source_port);
        let ports: Vec<_> = (0..6).map(|at| port(&scenario, at)).collect();
        assert_eq!(ports, [None, None, Some(4000), Some(4001), None, None]);
        assert_eq!(scenario.bytes_of_files(), 0, "listings");
        assert_eq!((2..5).map(|at| scenario.up_to(at).step.len()).collect::<Vec<_>>(), [2, 3, 4]);
        scenario.ftp_step_mut(3).unwrap().source_port = Some(5);
        assert_eq!((port(&scenario, 2), port(&scenario, 3)), (Some(4000), Some(5)));
    }
}
