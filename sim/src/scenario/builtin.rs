//! The scenarios that come with the program.

/// A scenario file built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Builtin {
    /// Its name: the file's, and the catalogue's id.
    pub name: &'static str,
    /// Its text.
    pub toml: &'static str,
}

macro_rules! builtin {
    ($($name:literal),* $(,)?) => {
        static BUILTIN: &[Builtin] = &[$(Builtin {
            name: $name,
            toml: include_str!(concat!("../../../scenarios/", $name, ".toml")),
        }),*];
    };
}

builtin!(
    "a-later-session",
    "attack-bounce",
    "attack-echo",
    "attack-long-line",
    "attack-low-port",
    "attack-neighbour",
    "attack-oversize",
    "attack-slipstream",
    "attack-slipstream-neighbour",
    "attack-split",
    "bad-line",
    "both-21-pasv",
    "both-21-port",
    "both-other-aware",
    "both-other-pasv",
    "both-other-port",
    "carrier-grade-nat",
    "client-announces-wan",
    "client-announces-wan-unforwarded",
    "client-distrusts-227",
    "data-is-at-fault",
    "dmz-host",
    "extended-commands",
    "filtering-behaviour",
    "hairpinning",
    "link-outage",
    "log-fools-you",
    "mapping-behaviour",
    "mtu-change",
    "nat-pmp",
    "no-command",
    "no-command-behind-nat",
    "parallel-sessions",
    "pasv-21",
    "pasv-mode",
    "pasv-other",
    "path-mtu",
    "port-21-forwarded",
    "port-21-rewritten",
    "port-mode",
    "port-other-untouched",
    "port-over-tls",
    "port-triggering",
    "private-destination-refused",
    "raw-packets",
    "router-restart",
    "same-subnet-homes",
    "server-pasv-aware",
    "server-pasv-aware-unforwarded",
    "server-pasv-leaks",
    "server-port-mode",
    "slow-uplink",
    "tcp-idle-beyond-timeout",
    "traceroute",
    "two-connections",
    "udp-translation-expires",
    "upnp-igd",
    "wan-address-change",
);

/// All of them, by name.
pub fn builtin() -> &'static [Builtin] {
    BUILTIN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn every_file_in_the_folder_is_built_in_and_reads() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
            .collect();
        files.sort();
        let names: Vec<&str> = builtin().iter().map(|builtin| builtin.name).collect();
        assert_eq!(files, names);
        for Builtin { name, toml } in builtin() {
            let scenario = Scenario::from_toml(name, toml).unwrap();
            // Those that show a claim of the catalogue are called by it; all others say what they show.
            match scenario.quirk {
                Some(quirk) => assert_eq!(quirk, *name),
                None => assert!(scenario.about.is_some(), "{name} does not say what it is about"),
            }
        }
    }
}
