//! How long an idle translation lives. A use of it makes it live on, so each idle time is tried on one of its own: those that
//! routers usually have side by side, and then, between the longest that was survived and the shortest that was not,
//! evenly spread ones until a second is left.

use std::future::Ready;

use smoltcp::time::{Duration, Instant};

use crate::check::executor::Bench;
use crate::check::findings::Findings;
use crate::check::report::Verdict;

/// What is tried first, in seconds: the RFCs' figures and those of routers.
const USUAL: [u32; 20] = [
    10, 20, 30, 40, 60, 90, 120, 150, 180, 240, 300, 600, 900, 1200, 1800, 3600, 7200, 7440, 86_400, 432_000,
];
/// As many are tried side by side after that.
const BETWEEN: u32 = 15;
const SECOND: i64 = 1_000_000;
/// Translations are opened in the last part of a second: a router whose clock ticks in seconds, from the subject's
/// beginning, then counts as one whose clock is fine.
const PART: i64 = SECOND * 3 / 4;

/// How long one lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lifetime {
    /// None could be opened.
    None,
    /// So many seconds.
    Of(u32),
    /// It still lived after so many.
    Longer(u32),
}

impl Lifetime {
    /// Whether it is `needed` seconds at least.
    pub(super) fn judge(self, needed: u32) -> (Verdict, String) {
        let held = |seconds| if seconds >= needed { Verdict::Holds } else { Verdict::DoesNotHold };
        match self {
            Self::None => (Verdict::NotApplicable, "none could be opened".to_owned()),
            Self::Of(seconds) => (held(seconds), format!("it lives {}", text(seconds))),
            Self::Longer(seconds) if seconds >= needed => {
                (Verdict::Holds, format!("it lives {} and longer", text(seconds)))
            }
            Self::Longer(seconds) => {
                (Verdict::NotMeasured, format!("it lives {} and longer; {}", text(seconds), needs(needed)))
            }
        }
    }

    /// As a profile has it.
    pub(super) fn value(self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Of(seconds) => Some(seconds.to_string()),
            Self::Longer(seconds) => Some(format!("{seconds} or more")),
        }
    }
}

/// What it takes to measure something that takes `seconds`.
pub(super) fn needs(seconds: u32) -> String {
    format!("needs {}: --longest {seconds}", text(seconds))
}

/// `2 h 4 min`, `30 s`.
pub(super) fn text(seconds: u32) -> String {
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count} {unit}")).collect();
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

/// How long after its opening a translation's idle time begins, and what is done then.
type Step<T> = (Duration, fn(&mut T) -> Ready<()>);

/// Its idle time begins at once.
pub(super) fn no_step<T>() -> Option<Step<T>> {
    None
}

/// A translation that waits, and since when.
struct Waiting<T> {
    translation: T,
    since: Instant,
}

/// Measures how long a translation lives that `open` makes, the number telling them apart. `settle` brings them, some seconds
/// after, to where their idle time is to begin; `is_alive` uses one.
pub(super) async fn lifetime<T>(
    bench: &Bench,
    open: impl AsyncFn(u16) -> Option<T>,
    settle: Option<(Duration, impl AsyncFn(&mut T))>,
    is_alive: impl AsyncFn(&mut T) -> bool,
) -> Lifetime {
    let longest = bench.limits().longest;
    let usual = USUAL.into_iter().filter(|seconds| *seconds < longest);
    let mut tried: Vec<u32> = usual.flat_map(|seconds| [seconds - 1, seconds]).collect();
    tried.push(longest.saturating_sub(1));
    tried.dedup();
    let (mut lived, mut number) = (0, 0);
    loop {
        let mut waiting = Vec::new();
        next_part(bench).await;
        for _ in &tried {
            let Some(translation) = open(number).await else { return Lifetime::None };
            number += 1;
            waiting.push(Waiting { translation, since: bench.now() });
        }
        if let Some((pause, settle)) = &settle {
            bench.sleep(*pause).await;
            next_part(bench).await;
            for waiting in &mut waiting {
                settle(&mut waiting.translation).await;
                waiting.since = bench.now();
            }
        }
        let mut died = None;
        for (seconds, mut waiting) in tried.iter().zip(waiting) {
            // Half a second beyond: a lifetime of as many seconds is over, one of a second more is not.
            let idle = Duration::from_millis(u64::from(*seconds) * 1000 + 500);
            bench.sleep_until(waiting.since + idle).await;
            if is_alive(&mut waiting.translation).await {
                lived = seconds + 1;
            } else {
                died = Some(*seconds);
                break;
            }
        }
        match died {
            None => return Lifetime::Longer(lived),
            Some(died) if died <= lived => return Lifetime::Of(lived),
            Some(died) => tried = between(lived, died),
        }
    }
}

/// Idle times that are known neither to be survived nor not: those up to `lived` - 1 are, `died` is not.
fn between(lived: u32, died: u32) -> Vec<u32> {
    let step = (died - lived).div_ceil(BETWEEN + 1).max(1);
    let mut tried: Vec<u32> = (lived..died).step_by(step as usize).collect();
    tried.push(died);
    tried.dedup();
    tried
}

/// Waits for the last part of a second.
async fn next_part(bench: &Bench) {
    let now = bench.now();
    let past = now.total_micros().rem_euclid(SECOND);
    if past < PART {
        bench.sleep_until(now + Duration::from_micros(u64::try_from(PART - past).unwrap_or_default())).await;
    }
}

impl Findings {
    /// How long something lives is a value of the profile's.
    pub(super) fn lives(&mut self, key: &'static str, lifetime: Lifetime) {
        if let Some(value) = lifetime.value() {
            self.behaves(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_people_say_them() {
        assert_eq!(
            [0, 30, 120, 7440, 7501].map(text),
            ["0 s", "30 s", "2 min", "2 h 4 min", "2 h 5 min 1 s"]
        );
    }

    #[test]
    fn what_is_between_ends_with_what_was_not_survived() {
        assert_eq!(between(31, 39), [31, 32, 33, 34, 35, 36, 37, 38, 39]);
        assert_eq!(between(1801, 3599).len(), 17);
        assert_eq!(between(41, 41), [41]);
    }

    #[test]
    fn a_bound_is_kept_from_its_first_second_on() {
        let judged = |lifetime: Lifetime| lifetime.judge(120).0;
        assert_eq!(judged(Lifetime::Of(120)), Verdict::Holds);
        assert_eq!(judged(Lifetime::Of(119)), Verdict::DoesNotHold);
        assert_eq!(judged(Lifetime::Longer(120)), Verdict::Holds);
        assert_eq!(judged(Lifetime::Longer(119)), Verdict::NotMeasured);
    }
}
