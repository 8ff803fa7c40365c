//! Every verdict from the findings that lead to it.

use super::*;

const NONE: Capabilities = Capabilities { sys_admin: false, net_admin: false };
const ALL: Capabilities = Capabilities { sys_admin: true, net_admin: true };

/// A user on a machine where everything is allowed.
fn user() -> Findings {
    Findings {
        root: false,
        capabilities: NONE,
        tun: Ok(()),
        user_namespaces: true,
        unprivileged_userns_clone: Some(1),
        max_user_namespaces: Some(1000),
        max_net_namespaces: Some(1000),
        apparmor_restrict: Some(0),
        seccomp: false,
        threads: 1,
        attempt: Some(Ok(())),
    }
}

fn refused(step: Step, errno: Errno) -> Findings {
    Findings { attempt: Some(Err((step, errno))), ..user() }
}

#[track_caller]
fn missing(findings: &Findings) -> Missing {
    judge(findings).expect_err("something is missing")
}

#[test]
fn a_user_who_got_through_lacks_nothing_and_privilege_needs_no_attempt() {
    assert_eq!(judge(&user()), Ok(()));
    assert_eq!(judge(&Findings { root: true, capabilities: ALL, attempt: None, ..user() }), Ok(()));
    let filtered = Findings { root: true, capabilities: ALL, attempt: None, seccomp: true, ..user() };
    assert_eq!(judge(&filtered), Ok(()));
}

#[test]
fn the_device_is_told_apart_by_what_its_opening_gave() {
    let with = |errno, mode| missing(&Findings { tun: Err((errno, mode)), attempt: None, ..user() });
    assert_eq!(with(Errno::ENOENT, None), Missing::Tun);
    assert_eq!(with(Errno::ENODEV, Some(0o666)), Missing::TunDriver);
    assert_eq!(with(Errno::EACCES, Some(0o600)), Missing::TunMode { mode: 0o600 });
    assert_eq!(with(Errno::EPERM, Some(0o666)), Missing::TunForbidden);
    assert_eq!(with(Errno::EIO, Some(0o666)), Missing::TunOther(Errno::EIO));
}

#[test]
fn a_device_that_root_cannot_open_counts_before_capabilities() {
    let findings = Findings { root: true, capabilities: ALL, tun: Err((Errno::ENOENT, None)), ..user() };
    assert_eq!(missing(&findings), Missing::Tun);
}

#[test]
fn switches_count_where_the_refusal_is_theirs() {
    let off = Findings { unprivileged_userns_clone: Some(0), ..refused(Step::User, Errno::EPERM) };
    assert_eq!(missing(&off), Missing::UserNamespacesOff);
    let none = Findings { max_user_namespaces: Some(0), ..refused(Step::User, Errno::ENOSPC) };
    assert_eq!(missing(&none), Missing::UserNamespacesLimit);
    let none = Findings { max_net_namespaces: Some(0), ..refused(Step::Network, Errno::ENOSPC) };
    assert_eq!(missing(&none), Missing::NetworkNamespacesLimit);
    // A limit that is not zero, and a limit that gives another error.
    assert_eq!(missing(&refused(Step::User, Errno::ENOSPC)), Missing::Other(Step::User, Errno::ENOSPC));
    let other = Findings { max_user_namespaces: Some(0), ..refused(Step::User, Errno::EPERM) };
    assert_eq!(missing(&other), Missing::Other(Step::User, Errno::EPERM));
}

#[test]
fn apparmor_shows_at_every_step() {
    for (step, errno) in
        [(Step::User, Errno::EACCES), (Step::Map, Errno::EPERM), (Step::Network, Errno::EPERM)]
    {
        let findings = Findings { apparmor_restrict: Some(1), ..refused(step, errno) };
        assert_eq!(missing(&findings), Missing::AppArmor, "{step:?}");
    }
    assert_eq!(missing(&refused(Step::Map, Errno::EPERM)), Missing::Other(Step::Map, Errno::EPERM));
}

#[test]
fn a_filter_is_told_from_apparmor_by_the_step() {
    let filtered = |step, apparmor_restrict| {
        missing(&Findings { seccomp: true, apparmor_restrict, ..refused(step, Errno::EPERM) })
    };
    assert_eq!(filtered(Step::User, None), Missing::Seccomp);
    assert_eq!(filtered(Step::User, Some(1)), Missing::Seccomp);
    assert_eq!(filtered(Step::Map, Some(1)), Missing::AppArmor);
    assert_eq!(filtered(Step::Network, Some(1)), Missing::AppArmor);
    assert_eq!(filtered(Step::Network, Some(0)), Missing::Seccomp);
}

#[test]
fn root_in_a_container_is_told_which_capability_it_lacks() {
    let root = Findings { root: true, seccomp: true, ..refused(Step::User, Errno::EPERM) };
    assert_eq!(missing(&root), Missing::Capabilities(NONE));
    let half = Capabilities { sys_admin: true, net_admin: false };
    let message = missing(&Findings { capabilities: half, ..root }).to_string();
    assert!(message.contains("no CAP_NET_ADMIN") && !message.contains("no CAP_SYS_ADMIN"), "{message}");
}

#[test]
fn kernels_and_callers_have_their_own_verdicts() {
    let old = Findings { user_namespaces: false, ..refused(Step::User, Errno::EINVAL) };
    assert_eq!(missing(&old), Missing::UserNamespaces);
    let late = Findings { threads: 3, ..refused(Step::User, Errno::EINVAL) };
    assert_eq!(missing(&late), Missing::Threads);
}
