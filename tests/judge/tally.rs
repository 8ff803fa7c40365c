//! What the router did in many conversations: a run that agrees says little where little happened.

use std::fmt;

use quirknat_router::Counters;

#[derive(Default)]
pub struct Tally(Counters);

impl Tally {
    pub fn add(&mut self, counters: &Counters) {
        let Self(all) = self;
        all.received += counters.received;
        all.forwarded += counters.forwarded;
        all.commands_rewritten += counters.commands_rewritten;
        all.commands_left_alone += counters.commands_left_alone;
        all.translations += counters.translations;
        for (answer, count) in &counters.answered {
            *all.answered.entry(*answer).or_default() += count;
        }
        for (reason, count) in &counters.dropped {
            *all.dropped.entry(*reason).or_default() += count;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(all) = self;
        write!(
            out,
            "{} packets, {} forwarded, {} translations, {} announcements rewritten and {} left alone",
            all.received, all.forwarded, all.translations, all.commands_rewritten, all.commands_left_alone
        )?;
        for (answer, count) in &all.answered {
            write!(out, "\n  {count:6} answered: {answer}")?;
        }
        for (reason, count) in &all.dropped {
            write!(out, "\n  {count:6} dropped: {reason}")?;
        }
        Ok(())
    }
}
