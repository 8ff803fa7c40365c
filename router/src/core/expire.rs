//! Time: timers that fire look at what they were set for, and end it or set themselves again.

use smoltcp::time::Instant;

use super::{Clock, Router, Timer};
use crate::event::{ForwardEnd, TranslationEnd};
use crate::state::flow::FlowId;
use crate::state::forward::ForwardId;

impl Router {
    /// Moves the clock on and ends what has come to its end.
    #[inline]
    pub(super) fn advance(&mut self, now: Instant) {
        if now < self.clock.until {
            return;
        }
        self.tick(now);
    }

    fn tick(&mut self, now: Instant) {
        self.clock = Clock::at(now);
        self.events.at(now, None);
        while let Some(timer) = self.timers.pop_due(self.clock.tick) {
            self.fire(timer);
        }
    }

    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Flow(id) => self.look_at_flow(id),
            Timer::Forward(id) => self.look_at_forward(id),
            Timer::Fragment(serial) => self.expire_fragments(serial),
            Timer::Reassembly(number) => self.look_at_reassembly(number),
            Timer::Opening(number) => self.look_at_opening(number),
            Timer::Syn(number) => self.look_at_syn(number),
        }
    }

    fn look_at_flow(&mut self, id: FlowId) {
        let Some(flow) = self.flows.get_mut(id) else { return };
        if flow.deadline > self.clock.tick {
            flow.timer = self.timers.set(flow.deadline, Timer::Flow(id));
        } else {
            self.end_translation(id, TranslationEnd::Expired);
        }
    }

    fn look_at_forward(&mut self, id: ForwardId) {
        let Some(forward) = self.forwards.get_mut(id) else { return };
        match forward.deadline {
            Some(deadline) if deadline > self.clock.tick => {
                forward.timer = self.timers.set(deadline, Timer::Forward(id));
            }
            _ => self.close_forward(id, ForwardEnd::Expired),
        }
    }
}
