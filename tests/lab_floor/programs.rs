//! What a program says, how it ends, and why it does not start.

use std::os::unix::fs::symlink;
use std::time::Duration;

use quirknat_sim::lab::{Ending, ProgramError, ProgramSpec};

use crate::support::scratch::Scratch;
use crate::{Alone, START, can_lab, run, shell, spec};

#[test]
fn the_status_is_the_programs() {
    if !can_lab() {
        return;
    }
    for status in [0, 3, 129, 255] {
        let ended = run(&shell(&format!("exit {status}")));
        let ending = &ended.program.outcome().unwrap().ending;
        assert!(matches!(ending, Ending::Exited(seen) if *seen == status), "{status}: {ending:?}");
    }
}

#[test]
fn the_signal_is_the_one_that_killed_it_also_without_a_name() {
    if !can_lab() {
        return;
    }
    for signal in [6, 9, 15, 35] {
        let ended = run(&shell(&format!("kill -{signal} $$")));
        let ending = &ended.program.outcome().unwrap().ending;
        assert!(matches!(ending, Ending::Signalled(seen) if *seen == signal), "{signal}: {ending:?}");
    }
}

#[test]
fn words_variables_directory_and_streams_are_the_programs() {
    if !can_lab() {
        return;
    }
    let scratch = Scratch::new();
    let script = r#"pwd; printf '%s|' "$0" "$@" "$MORE" "$EMPTY"; cat; echo; echo aside >&2"#;
    let mut spec = spec(&["sh", "-c", script, "--init", "a b", "", "--", "--set=x"]);
    spec.directory = scratch.path().to_owned();
    spec.environment = vec![("MORE".into(), "a=b\nc".into()), ("EMPTY".into(), String::new())];
    let ended = run(&spec);
    let outcome = ended.program.outcome().unwrap();
    let expected = format!("{}\n--init|a b||--|--set=x|a=b\nc||\n", scratch.path().display());
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), expected);
    assert_eq!(outcome.stderr, b"aside\n");
}

#[test]
fn it_sees_its_own_network_and_processes() {
    if !can_lab() {
        return;
    }
    let ended =
        run(&shell("cat /proc/net/dev; ls /sys/class/net; ls -d /proc/[0-9]*; ls -l /dev/tty; : < /dev/tty"));
    let outcome = ended.program.outcome().unwrap();
    let text = String::from_utf8_lossy(&outcome.stdout);
    assert!(text.contains("  eth0:") && text.contains("\neth0\n"), "{text}");
    let processes: Vec<_> = text.lines().filter(|line| line.starts_with("/proc/")).collect();
    assert!(processes.contains(&"/proc/1") && processes.len() <= 3, "{processes:?}");
    assert!(String::from_utf8_lossy(&outcome.stderr).contains("/dev/tty"), "it has a terminal");
}

#[test]
fn endless_output_ends_the_program_at_its_limit() {
    if !can_lab() {
        return;
    }
    for script in ["yes", "yes >&2", "setsid -f yes; exec sleep 1000"] {
        let ended = run(&shell(script));
        let outcome = ended.program.outcome().unwrap();
        assert!(matches!(outcome.ending, Ending::WroteTooMuch), "{script}: {:?}", outcome.ending);
        let longest = outcome.stdout.len().max(outcome.stderr.len());
        assert_eq!(longest, 100_000, "{script}");
        assert!(outcome.stdout.capacity().max(outcome.stderr.capacity()) < 400_000, "{script}");
    }
}

#[test]
fn output_up_to_the_limit_is_whole_and_one_octet_more_is_too_much() {
    if !can_lab() {
        return;
    }
    let with_limit = |output_limit| run(&ProgramSpec { output_limit, ..shell("head -c 50000 /dev/zero") });
    let whole = with_limit(50_000);
    let outcome = whole.program.outcome().unwrap();
    assert!(matches!(outcome.ending, Ending::Exited(0)), "{:?}", outcome.ending);
    assert_eq!(outcome.stdout.len(), 50_000);
    let cut = with_limit(49_999);
    let outcome = cut.program.outcome().unwrap();
    assert!(matches!(outcome.ending, Ending::WroteTooMuch), "{:?}", outcome.ending);
    assert_eq!(outcome.stdout.len(), 49_999);
}

#[test]
fn time_is_the_callers() {
    if !can_lab() {
        return;
    }
    let limit = Duration::from_hours(1);
    let mut alone =
        Alone::start(&ProgramSpec { time_limit: Some(limit), ..shell("echo up; exec sleep 1000") });
    alone.wait_line("up");
    assert_eq!(alone.program.poll_timeout(), Some(START + limit.into()));
    assert!(!alone.program.poll(START + (limit / 2).into()));
    let outcome = alone.outcome(START + limit.into());
    assert!(matches!(outcome.ending, Ending::RanOutOfTime), "{:?}", outcome.ending);
    assert_eq!(outcome.stdout, b"up\n");
    assert_eq!(alone.program.poll_timeout(), None);
    let endless = ProgramSpec { time_limit: Some(Duration::MAX), ..shell("exit 4") };
    assert!(matches!(run(&endless).program.outcome().unwrap().ending, Ending::Exited(4)));
}

#[test]
fn what_cannot_start_is_told_apart() {
    if !can_lab() {
        return;
    }
    let scratch = Scratch::new();
    let file = |name: &str, content: &str, mode| {
        scratch.write(name, content);
        scratch.set_mode(name, mode);
    };
    file("plain", "#!/bin/sh\n", 0o644);
    file("no-interpreter", "#!/nowhere/at-all\n", 0o755);
    file("no-format", "\u{1}\u{2}\n", 0o755);
    symlink("nothing", scratch.join("dangling")).unwrap();
    let start = |argv: &[&str]| {
        let spec = ProgramSpec { directory: scratch.path().to_owned(), ..spec(argv) };
        match Alone::try_start(&spec) {
            Err(error) => error,
            Ok(mut alone) => {
                alone.outcome(START);
                panic!("{argv:?} started: {:?}", alone.program.outcome())
            }
        }
    };
    assert!(matches!(start(&[]), ProgramError::Empty));
    assert!(matches!(start(&[""]), ProgramError::Empty));
    let error = start(&["no-such-program"]);
    assert!(matches!(error, ProgramError::NotFound { .. }), "{error}");
    assert!(error.to_string().contains("`no-such-program` is not in "), "{error}");
    assert!(matches!(start(&["./missing"]), ProgramError::NoFile(_)));
    assert!(matches!(start(&["./dangling"]), ProgramError::NoFile(_)));
    assert!(matches!(start(&["./plain"]), ProgramError::NotExecutable(_)));
    assert!(matches!(start(&["./"]), ProgramError::NotAFile(_)));
    assert!(matches!(start(&["sh", "a\0b"]), ProgramError::ZeroByte(_)));
    let environment = vec![("A=B".to_owned(), String::new())];
    let unfit = Alone::try_start(&ProgramSpec { environment, ..shell("exit") });
    assert!(matches!(unfit.map(drop), Err(ProgramError::Environment { .. })));
    let elsewhere = Alone::try_start(&ProgramSpec { directory: "/nowhere".into(), ..shell("exit") });
    assert!(matches!(elsewhere.map(drop), Err(ProgramError::Directory { .. })));
    let environment = vec![("PATH".to_owned(), scratch.path().display().to_string())];
    let hidden = Alone::try_start(&ProgramSpec { environment, ..spec(&["plain"]) });
    assert!(matches!(hidden.map(drop), Err(ProgramError::NotExecutable(_))));

    // What only the kernel knows comes with the end.
    let late = |name: &str| run(&ProgramSpec { directory: scratch.path().to_owned(), ..spec(&[name]) });
    let (interpreter, format) = (late("./no-interpreter"), late("./no-format"));
    let ending = &interpreter.program.outcome().unwrap().ending;
    assert!(matches!(ending, Ending::NotStarted(ProgramError::Interpreter(_))), "{ending:?}");
    let ending = &format.program.outcome().unwrap().ending;
    assert!(matches!(ending, Ending::NotStarted(ProgramError::Format(_))), "{ending:?}");
}
