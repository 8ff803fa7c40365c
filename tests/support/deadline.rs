//! How long a wait may take. The only place of the lab that reads a clock.

use std::time::{Duration, Instant};

#[derive(Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    #[expect(
        clippy::disallowed_methods,
        reason = "waiting for real programs needs a real clock, in this one place"
    )]
    fn now() -> Instant {
        Instant::now()
    }

    pub fn after(duration: Duration) -> Self {
        Self(Self::now() + duration)
    }

    pub fn seconds(seconds: u64) -> Self {
        Self::after(Duration::from_secs(seconds))
    }

    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Self::now())
    }

    pub fn passed(self) -> bool {
        self.left().is_zero()
    }
}

/// Looks again and again until there is what is looked for; panics with what was seen last where it does not come.
#[track_caller]
pub fn until<T>(what: &str, seconds: u64, mut look: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Deadline::seconds(seconds);
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) => assert!(!deadline.passed(), "no {what} within {seconds} s: {seen}"),
        }
        // Nobody tells of it.
        let _ = nix::poll::poll(&mut [], 5_u8);
    }
}
