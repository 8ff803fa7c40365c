//! The routers' profiles: each read once for all cells of a file, with the values that a scenario replaces.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use quirknat_router::diagnostic::{Diagnostic, help_with_choices, read_text};
use quirknat_router::profile::{Profile, ProfileError, builtin};
use toml::Spanned;

use super::language::{RouterSpec, Text};

/// The profiles read so far, by what they were made from.
#[derive(Debug, Default)]
pub(super) struct Profiles(Mutex<BTreeMap<String, Arc<Profile>>>);

/// Why a router has no profile.
pub(super) enum ProfileFault {
    /// What the scenario says is wrong, here.
    InScenario { place: Range<usize>, message: String, help: Option<String> },
    /// The profile's own file is wrong.
    InProfile(Box<Diagnostic>),
}

impl Profiles {
    /// The profile of `router`, of a scenario in `folder`.
    pub(super) fn of(&self, folder: &Path, router: &RouterSpec) -> Result<Arc<Profile>, ProfileFault> {
        let values: Vec<_> =
            router.set.iter().map(|(path, value)| (path.get_ref(), value.get_ref())).collect();
        let key = format!("{} {values:?}", router.profile.get_ref());
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(known));
        }
        let profile = Arc::new(read(folder, router)?);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&profile));
        Ok(profile)
    }
}

fn read(folder: &Path, router: &RouterSpec) -> Result<Profile, ProfileFault> {
    let name = router.profile.get_ref();
    let beside = folder.join(name);
    let path = if beside.is_file() { beside } else { Path::new(name).to_path_buf() };
    let is_beside = folder.join(name).is_file();
    let profile = if is_beside { Profile::from_file(&path) } else { Profile::resolve(name) };
    let profile = profile.map_err(|error| unreadable(&router.profile, &error))?;
    if router.set.is_empty() {
        return Ok(profile);
    }
    let entry = builtin().iter().find(|entry| !is_beside && entry.name == name);
    let text = match entry {
        Some(entry) => entry.toml.to_owned(),
        None => read_text(&path).map_err(|error| unreadable(&router.profile, &error.into()))?,
    };
    replace(&text, router)
}

fn unreadable(name: &Text, error: &ProfileError) -> ProfileFault {
    if let ProfileError::Invalid(faults) = error
        && let Some(first) = faults.first()
    {
        return ProfileFault::InProfile(Box::new(first.clone()));
    }
    let words = error.to_string();
    let (message, help) = match words.split_once('\n') {
        Some((message, help)) => (message.to_owned(), Some(help.to_owned())),
        None => (words, None),
    };
    ProfileFault::InScenario { place: name.span(), message, help }
}

/// The profile that `text` states, with the values that the router replaces.
fn replace(text: &str, router: &RouterSpec) -> Result<Profile, ProfileFault> {
    let Ok(mut document) = text.parse::<toml::Table>() else {
        return Err(fault(&router.profile, "the profile's file has changed while it was read"));
    };
    let mut all = document.clone();
    for (path, value) in &router.set {
        put(&mut all, path, value.get_ref())?;
    }
    let refused = match read_table(&all) {
        Ok(profile) => return Ok(profile),
        Err(refused) => refused,
    };
    // One of them is at fault, or the last one beside those before it.
    let mut last = None;
    for (path, value) in &router.set {
        put(&mut document, path, value.get_ref())?;
        last = Some((path, value));
        if let Err(refused) = read_table(&document) {
            return Err(refused_value(path, value, &refused));
        }
    }
    Err(match last {
        Some((path, value)) => refused_value(path, value, &refused),
        None => fault(&router.profile, "the profile cannot be read"),
    })
}

fn refused_value(path: &Text, value: &Spanned<toml::Value>, refused: &ProfileError) -> ProfileFault {
    let (message, help) = match refused {
        ProfileError::Invalid(faults) => match faults.first() {
            Some(first) => (first.message().to_owned(), first.help().map(str::to_owned)),
            None => ("it is refused".to_owned(), None),
        },
        other => (other.to_string(), None),
    };
    let message = format!("`{}` of the profile: {message}", path.get_ref());
    ProfileFault::InScenario { place: value.span(), message, help }
}

fn read_table(table: &toml::Table) -> Result<Profile, ProfileError> {
    // A table that was parsed can be written.
    Profile::from_toml("profile", &toml::to_string(table).unwrap_or_default())
}

/// Puts a value in the place of the profile's own.
fn put(profile: &mut toml::Table, path: &Text, value: &toml::Value) -> Result<(), ProfileFault> {
    let values = value_paths(profile);
    if !values.contains(path.get_ref()) {
        let named = format!("{}.", path.get_ref());
        let inside: Vec<&str> =
            values.iter().map(String::as_str).filter(|value| value.starts_with(&named)).collect();
        return Err(unknown_path(path, &values, &inside));
    }
    let mut keys: Vec<&str> = path.get_ref().split('.').collect();
    let last = keys.pop().unwrap_or_default();
    let mut table = profile;
    for key in keys {
        match table.get_mut(key).and_then(toml::Value::as_table_mut) {
            Some(inner) => table = inner,
            None => return Err(fault(path, "no such value in the profile")),
        }
    }
    table.insert(last.to_owned(), value.clone());
    Ok(())
}

fn unknown_path(path: &Text, values: &[String], inside: &[&str]) -> ProfileFault {
    let word = path.get_ref();
    let all: Vec<&str> = values.iter().map(String::as_str).collect();
    let (message, help) = if let Some(first) = inside.first() {
        let help = format!("name one of its values by its whole path in quotes, as in \"{first}\"");
        (format!("`{word}` is a table of the profile"), help)
    } else {
        let help = help_with_choices(word, "values of a profile:", &all);
        (format!("the profile has no value `{word}`"), help)
    };
    ProfileFault::InScenario { place: path.span(), message, help: Some(help) }
}

/// The paths of a profile's values: what stands in its tables, alone or in the long form.
fn value_paths(profile: &toml::Table) -> Vec<String> {
    fn collect(table: &toml::Table, above: &str, into: &mut Vec<String>) {
        for (key, value) in table {
            let path = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
            match value.as_table().filter(|table| !table.contains_key("value")) {
                Some(inner) => collect(inner, &path, into),
                None if above.is_empty() => {}
                None => into.push(path),
            }
        }
    }
    let mut paths = Vec::new();
    collect(profile, "", &mut paths);
    paths
}

fn fault(place: &Text, message: &str) -> ProfileFault {
    ProfileFault::InScenario { place: place.span(), message: message.to_owned(), help: None }
}
