//! Whether the clock of the machine can be believed, before anything is deleted by it.

use std::time::Duration;

use tokio::time::Instant;

/// How far the clock may go astray, milliseconds: as much as summer time, time zones and slow drifts together.
const ASTRAY: i64 = 24 * 3_600_000;

/// The clock beside the time that has passed.
#[derive(Clone, Copy, Debug)]
pub(super) struct WallClock {
    /// Milliseconds since 1970 (UTC), and the moment at which that was read.
    started: (i64, Instant),
    /// How long rows are kept.
    keep: Duration,
    /// Whether what is in the log agrees with it.
    is_credible: bool,
}

impl WallClock {
    /// Read at `started`, when the newest row of the log was of the time `newest` (0 for none) and rows were kept for `keep`:
    /// a clock that would delete all of them is wrong rather than the log.
    pub(super) fn new(started: (i64, Instant), newest: i64, keep: Duration) -> Self {
        let is_credible = newest == 0 || newest >= before(started.0, keep);
        Self { started, keep, is_credible }
    }

    /// The time before which rows are too old, as `now` (milliseconds since 1970) has it; `None` where the clock has
    /// jumped since the start.
    pub(super) fn oldest(&self, now: i64) -> Option<i64> {
        let passed = i64::try_from(self.started.1.elapsed().as_millis()).unwrap_or(i64::MAX);
        let expected = self.started.0.saturating_add(passed);
        (self.is_credible && now.saturating_sub(expected).abs() <= ASTRAY)
            .then(|| before(now, self.keep))
    }
}

fn before(now: i64, keep: Duration) -> i64 {
    now.saturating_sub(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_clock_that_jumps_deletes_nothing() {
        const YEAR: i64 = 365 * 24 * 3_600_000;
        let (now, keep) = (1_800_000_000_000, Duration::from_hours(24) * 30);
        let clock = |newest: i64| WallClock::new((now, Instant::now()), newest, keep);
        let month = 30 * 24 * 3_600_000;
        for newest in [0, now - 1, now + 1000, now - month] {
            assert_eq!(clock(newest).oldest(now + 5000), Some(now + 5000 - month));
            assert_eq!(clock(newest).oldest(now + YEAR), None);
            assert_eq!(clock(newest).oldest(now - YEAR), None);
        }
        // It was a year ahead when the program started.
        assert_eq!(clock(now - YEAR).oldest(now + 5000), None);
    }
}
