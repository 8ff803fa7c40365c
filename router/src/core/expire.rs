//! Time: timers that fire look at what they were set for, and end it or set themselves again.

use quirknat_alg::ControlOutlives;
use smoltcp::time::Instant;

use super::{Clock, Router, Timer};
use crate::event::{EventKind, ForwardEnd, TranslationEnd};
use crate::state::flow::{ControlId, FlowId};
use crate::state::forward::ForwardId;
use crate::state::progress::Progress;

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

    /// All that ends does so in its turn, however far the clock has leapt: what ends first may be what another waits for.
    fn look_at_flow(&mut self, id: FlowId) {
        let Some(flow) = self.flows.get_mut(id) else { return };
        if flow.deadline > self.timers.popped_at() {
            flow.timer = self.timers.set(flow.deadline, Timer::Flow(id));
        } else if self.outlives_its_timeout(id) {
            self.keep_control(id);
        } else {
            self.end_translation(id, TranslationEnd::Expired);
        }
    }

    /// Whether a translation is a control connection's whose end waits for others.
    fn outlives_its_timeout(&self, id: FlowId) -> bool {
        let Some(flow) = self.flows.get(id).filter(|flow| flow.control != ControlId::NONE) else {
            return false;
        };
        let has_forwards = || !self.forwards.of_control(flow.control).is_empty();
        match self.dialect.control_outlives {
            ControlOutlives::Nothing => false,
            ControlOutlives::Forwards => self.transfers.are_beside(flow) || has_forwards(),
            ControlOutlives::DataConnections => self.transfers.are_beside(flow),
        }
    }

    /// It is looked at again as much later as a connection that has ended is kept: its data connection's FINs leave it the
    /// time to be told of them.
    fn keep_control(&mut self, id: FlowId) {
        let wait = self.lifetimes.of(Progress::FinBoth).seconds.max(1);
        let Some(flow) = self.flows.get_mut(id) else { return };
        flow.deadline = flow.deadline.saturating_add(wait);
        flow.timer = self.timers.set(flow.deadline, Timer::Flow(id));
        let (translation, expires_s) = (flow.serial, flow.deadline);
        self.events.push(EventKind::ControlKept { translation, expires_s });
    }

    fn look_at_forward(&mut self, id: ForwardId) {
        let Some(forward) = self.forwards.get_mut(id) else { return };
        match forward.deadline {
            Some(deadline) if deadline > self.timers.popped_at() => {
                forward.timer = self.timers.set(deadline, Timer::Forward(id));
            }
            _ => self.close_forward(id, ForwardEnd::Expired),
        }
    }
}
