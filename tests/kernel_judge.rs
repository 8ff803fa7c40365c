//! The kernel as judge: raw packets through the machine's kernel and through the router with the profile
//! `linux-netfilter`; every byte that leaves must be the same. docs/kernel.md says how, and what differs still.

#[expect(dead_code, unreachable_pub, reason = "a harness for several programs, each of which uses its part")]
mod judge;
#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

use std::fmt::Write as _;
use std::thread;

use judge::cases::Case;
use judge::generate::generate;
use judge::{Judge, PROFILE, cases, tell};
use support::requirement::{LAB, Requirement, met, skip};

/// Cases that differ, each with its reason in docs/kernel.md.
const KNOWN: &[&str] = &[];

/// Does something with a judge, on a thread that has no other network.
fn with_judge(work: impl FnOnce(&mut Judge) + Send) {
    if !(met(&LAB) && met(&[Requirement::Program("nft")])) {
        return;
    }
    let judging = || match Judge::open(PROFILE) {
        Ok(mut judge) => work(&mut judge),
        Err(why) => skip(&why),
    };
    let done = thread::scope(|scope| scope.spawn(judging).join());
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

#[test]
fn the_written_cases_leave_both_alike() {
    with_judge(|judge| {
        let mut stories = String::new();
        for Case { number, name, conversation } in cases::all() {
            match (judge.difference(&conversation), KNOWN.contains(&number)) {
                (Some(exchanges), false) => {
                    let _ = writeln!(stories, "case {number}, {name}:\n{}", tell::story(&exchanges));
                }
                (None, true) => {
                    let _ = writeln!(stories, "case {number}, {name}, is known to differ, and does not");
                }
                (Some(_), true) | (None, false) => {}
            }
        }
        assert!(stories.is_empty(), "{stories}");
    });
}

#[test]
fn generated_conversations_leave_both_alike() {
    const NUMBERS: u64 = 500;
    with_judge(|judge| {
        let mut stories = String::new();
        let mut with_control = 0;
        for number in 0..NUMBERS {
            let conversation = generate(7, number);
            with_control += u64::from(conversation.has_port(21));
            if let Some(exchanges) = judge.difference(&conversation) {
                let _ = writeln!(stories, "conversation {number} of seed 7:\n{}", tell::story(&exchanges));
            }
        }
        assert!(stories.is_empty(), "{stories}");
        assert!(with_control > NUMBERS / 2, "{with_control} of {NUMBERS} have a control connection");
    });
}
