//! A user without privilege, where /dev/net/tun is open to him.

use std::fs;
use std::process::Command;

use crate::can_lab;
use crate::support::deadline::Deadline;
use crate::support::labs::Labs;
use crate::support::process::Process;
use crate::support::requirement::{Requirement, find_program, met};

/// Another node of the same device in its place, in mounts of the child's own; then nobody's session.
const AS_NOBODY: &str = r#"set -e
mknod -m 0666 "$0/tun" c 10 200
mount --bind "$0/tun" /dev/net/tun
exec setpriv --reuid 65534 --regid 65534 --clear-groups sh -c "$1" "$0""#;

const SESSION: &str = r#"cd "$0/tmp"
"$0/quirknat" lab up port-21-rewritten --name mine --pcap x.pcapng > up 2>&1 || { cat up; exit 9; }
"$0/quirknat" lab exec pc -- sh -c 'echo user $(id -u); grep -c eth0 /proc/net/dev; kill -15 $$'
echo exec $?
"$0/quirknat" lab exec pc -- sleep 55551 &
"$0/quirknat" lab list --json > list
"$0/quirknat" lab down
wait $!
echo ended $?
test -s x.pcapng && echo captured
ls "$0/tmp/quirknat-65534""#;

#[test]
fn a_user_works_in_a_lab_as_root_does() {
    let programs = ["setpriv", "unshare", "mount", "mknod"].map(Requirement::Program);
    if !can_lab() || !met(&programs) {
        return;
    }
    let labs = Labs::new();
    fs::copy(env!("CARGO_BIN_EXE_quirknat"), labs.scratch.join("quirknat")).unwrap();
    labs.scratch.set_mode("quirknat", 0o755);
    let unshare = Command::new(find_program("unshare").expect("it was asked for as a requirement"));
    let folder = labs.scratch.path().to_str().unwrap();
    let unshare = labs.around(unshare, &["--mount", "sh", "-c", AS_NOBODY, folder, SESSION]);
    let session = Process::start("a user's session", unshare).finish(Deadline::seconds(30));
    let text = session.text();
    if session.code() == Some(9) {
        // A machine that lets users have no namespaces: he is told what forbids it, and that is not the device.
        assert!(text.starts_with("error: ") && !text.contains("/dev/net/tun"), "{}", session.story());
        return;
    }
    let expected = "user 0\n1\nexec 143\nmine is down\nended 3\ncaptured\n";
    assert_eq!(text, expected, "{}", session.story());
    labs.wait_until_gone(&std::collections::BTreeSet::new());
}
