//! Files of the repository that are made from the program itself.

/// Holds a committed file against what it is made from. With `QUIRKNAT_UPDATE_DOCS=1` it is written anew.
pub(crate) fn assert_current(path: &str, made: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    if std::env::var_os("QUIRKNAT_UPDATE_DOCS").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "{} is not what it is made from: run this test with QUIRKNAT_UPDATE_DOCS=1",
        path.display()
    );
}
