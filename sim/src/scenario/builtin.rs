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

builtin!("pasv-21", "pasv-other", "port-21-rewritten", "port-other-untouched");

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
            assert_eq!(scenario.quirk.as_deref(), Some(*name));
        }
    }
}
