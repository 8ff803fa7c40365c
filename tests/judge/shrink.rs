//! The smallest conversation that differs in the same way still: steps are left out, then what remains is made plainer.

use super::conversation::{Conversation, Ip, Step, What};
use super::{Judge, tell};

/// How often one candidate is played before it counts as agreeing: what the kernel draws may hide a difference.
const TRIES: usize = 2;
/// How many candidates are played in all.
const PATIENCE: usize = 4000;

/// Shrinks a conversation with a difference of this kind.
pub fn shrink(judge: &mut Judge, conversation: Conversation, kind: &str) -> Conversation {
    let mut smallest = conversation;
    let mut left = PATIENCE;
    let mut differs = |candidate: &Conversation| {
        left = left.saturating_sub(1);
        left > 0
            && (0..TRIES)
                .any(|_| judge.difference(candidate).is_some_and(|exchanges| tell::kind(&exchanges) == kind))
    };
    loop {
        let before = format!("{smallest:?}");
        leave_out(&mut smallest, &mut differs);
        for at in 0..smallest.steps.len() {
            plainer(&mut smallest, at, &mut differs);
        }
        if format!("{smallest:?}") == before {
            return smallest;
        }
    }
}

/// Leaves out steps, many at first.
fn leave_out(smallest: &mut Conversation, differs: &mut impl FnMut(&Conversation) -> bool) {
    let mut many = smallest.steps.len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        while at < smallest.steps.len() {
            let mut candidate = smallest.clone();
            let end = (at + many).min(candidate.steps.len());
            candidate.steps.drain(at..end);
            if differs(&candidate) {
                *smallest = candidate;
            } else {
                at += many;
            }
        }
        if many == 1 {
            return;
        }
        many = many.div_ceil(2);
    }
}

fn plainer(smallest: &mut Conversation, at: usize, differs: &mut impl FnMut(&Conversation) -> bool) {
    let mut number = 0;
    loop {
        let mut candidate = smallest.clone();
        let Some(step) = candidate.steps.get_mut(at) else { return };
        let Some(changed) = make_plainer(step, number) else { return };
        if changed && differs(&candidate) {
            *smallest = candidate;
        } else {
            number += 1;
        }
    }
}

/// Makes one thing plainer; says whether that changed anything, and nothing where there is no such thing.
fn make_plainer(step: &mut Step, number: usize) -> Option<bool> {
    let before = format!("{step:?}");
    let Step { what, ip, .. } = step;
    match number {
        0 => *ip = Ip { identification: ip.identification, ..Ip::default() },
        1 => ip.order.clear(),
        2 => drop(ip.cuts.pop()),
        3 => ip.options.clear(),
        4 => (ip.ttl, ip.tos) = (64, 0),
        5 => ip.dont_fragment = false,
        6..=16 => match what {
            What::Segment(segment) => match number {
                6 => segment.options.clear(),
                7 => drop(segment.options.pop()),
                8 => segment.ack = 0,
                9 => segment.window = 65535,
                10 => segment.urgent = 0,
                11 => segment.payload.truncate(segment.payload.len() / 2),
                12 => drop(segment.payload.pop()),
                13 => segment.flags &= !super::packets::PSH,
                14 => segment.flags &= !super::packets::URG,
                15 => segment.offset /= 2,
                _ => segment.ack /= 2,
            },
            What::Datagram { payload, .. } | What::Query { payload, .. } | What::Other { payload, .. }
                if number == 11 =>
            {
                payload.truncate(payload.len() / 2);
            }
            What::Datagram { payload, .. } | What::Query { payload, .. } | What::Other { payload, .. }
                if number == 12 =>
            {
                payload.pop();
            }
            What::Error(error) => match number {
                6 => error.changed = None,
                7 => error.from = None,
                8 => error.rest = 0,
                _ => {}
            },
            _ => {}
        },
        _ => return None,
    }
    Some(format!("{step:?}") != before)
}
