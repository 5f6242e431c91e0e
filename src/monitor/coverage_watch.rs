//! Whether intervals still hold as often as they should, watched one container after the other.

use serde::{Deserialize, Serialize};

/// Stakes that are tried at once, as shares of the largest that cannot ruin.
const STAKES: [f64; 8] = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9];

/// A bet against "intervals miss at most (or at least) this often": what a gambler owns who stakes on every
/// container and started with 1 (Waudby-Smith and Ramdas, 2024).
///
/// While the statement is true, the chance that the gambler ever owns `1 / alpha` is at most `alpha`, however
/// often one looks (Ville's inequality): the bet is a mean of nonnegative supermartingales, one for each stake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Bet {
    /// The share of misses that the statement allows.
    allowed: f64,
    /// Whether it allows no more than that; else no fewer.
    is_upper: bool,
    /// Logarithm of what is owned at each stake.
    wealth: [f64; STAKES.len()],
}

impl Bet {
    fn new(allowed: f64, is_upper: bool) -> Self {
        Self { allowed, is_upper, wealth: [0.0; STAKES.len()] }
    }

    fn add(&mut self, missed: bool) {
        let gain = f64::from(u8::from(missed)) - self.allowed;
        let largest = if self.is_upper { 1.0 / self.allowed } else { -1.0 / (1.0 - self.allowed) };
        for (wealth, stake) in self.wealth.iter_mut().zip(STAKES) {
            *wealth += (stake * largest * gain).ln_1p();
        }
    }

    /// What is owned.
    fn evidence(&self) -> f64 {
        self.wealth.iter().map(|own| own.exp()).sum::<f64>() / STAKES.len() as f64
    }
}

/// Watches the coverage of intervals by two bets: that they miss too often, and that they miss too seldom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoverageWatch {
    too_often: Bet,
    too_seldom: Option<Bet>,
    /// Evidence at which there is an alarm.
    limit: f64,
    /// Containers that were judged.
    pub containers: usize,
    /// Those whose value lay outside of its interval.
    pub missed: usize,
    /// The first alarm.
    pub alarm: Option<CoverageAlarm>,
}

/// The moment at which coverage was known to have left its band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageAlarm {
    /// Containers that had been judged.
    pub containers: usize,
    /// Whether intervals miss too often; else they are wider than they should be.
    pub misses_too_often: bool,
}

impl CoverageWatch {
    /// Watches that intervals of `level` hold within `band` of it; a false alarm ever comes with probability
    /// `alpha` at most.
    #[must_use]
    pub fn new(level: f64, band: f64, alpha: f64) -> Self {
        let (most, least) = ((1.0 - level + band).min(0.99), 1.0 - level - band);
        Self {
            too_often: Bet::new(most, true),
            too_seldom: (least > 0.0).then(|| Bet::new(least, false)),
            limit: 2.0 / alpha,
            containers: 0,
            missed: 0,
            alarm: None,
        }
    }

    /// Adds the first known value of a container: whether it lay outside of its interval.
    pub fn add(&mut self, missed: bool) {
        self.containers += 1;
        self.missed += usize::from(missed);
        self.too_often.add(missed);
        if let Some(bet) = &mut self.too_seldom {
            bet.add(missed);
        }
        let misses_too_often = self.too_often.evidence() >= self.limit;
        let is_alarm = misses_too_often || self.evidence().1 >= self.limit;
        if is_alarm && self.alarm.is_none() {
            self.alarm = Some(CoverageAlarm { containers: self.containers, misses_too_often });
        }
    }

    /// Evidence that intervals miss too often, and too seldom.
    #[must_use]
    pub fn evidence(&self) -> (f64, f64) {
        (self.too_often.evidence(), self.too_seldom.as_ref().map_or(0.0, Bet::evidence))
    }

    /// Evidence at which there is an alarm.
    #[must_use]
    pub fn limit(&self) -> f64 {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Generator;

    /// Alarms among `runs` of 2000 containers whose intervals miss with this probability, and the mean number
    /// of containers before one.
    fn alarms(runs: u64, miss: f64) -> (usize, f64) {
        let watched = (0..runs).map(|run| {
            let mut generator = Generator::new(run, &[5]);
            let mut watch = CoverageWatch::new(0.9, 0.05, 0.01);
            for _ in 0..2000 {
                watch.add(generator.uniform() < miss);
            }
            watch.alarm.map(|alarm| alarm.containers)
        });
        let delays: Vec<usize> = watched.flatten().collect();
        let mean = delays.iter().sum::<usize>() as f64 / delays.len().max(1) as f64;
        (delays.len(), mean)
    }

    #[test]
    fn false_alarms_are_rarer_than_stated_even_at_the_edge_of_the_band() {
        // 1000 looks of 2000 each; 1 % allowed, 20 would be three standard errors above it.
        for miss in [0.05, 0.1, 0.15] {
            let (found, _) = alarms(1000, miss);
            assert!(found <= 19, "{found} alarms at {miss}");
        }
    }

    #[test]
    fn intervals_that_miss_too_often_are_seen_soon() {
        let (found, delay) = alarms(200, 0.4);
        assert!(found == 200 && delay < 45.0, "{found} after {delay}");
        let (found, delay) = alarms(200, 0.25);
        assert!(found == 200 && delay < 250.0, "{found} after {delay}");
    }

    #[test]
    fn intervals_that_never_miss_are_seen() {
        let mut watch = CoverageWatch::new(0.9, 0.05, 0.01);
        (0..400).for_each(|_| watch.add(false));
        assert_eq!(watch.alarm.map(|alarm| alarm.misses_too_often), Some(false));
        // Within the band of a level near 1 nothing can be too seldom.
        let mut watch = CoverageWatch::new(0.99, 0.05, 0.01);
        (0..400).for_each(|_| watch.add(false));
        assert_eq!(watch.alarm, None);
    }

    #[test]
    fn evidence_is_the_wealth_of_a_mixture_of_bets() {
        let mut watch = CoverageWatch::new(0.9, 0.05, 0.01);
        for missed in [true, false, true] {
            watch.add(missed);
        }
        let wealth = |stake: f64| {
            let step = |missed: f64| 1.0 + stake / 0.15 * (missed - 0.15);
            step(1.0) * step(0.0) * step(1.0)
        };
        let expected = STAKES.map(wealth).iter().sum::<f64>() / STAKES.len() as f64;
        assert!((watch.evidence().0 / expected - 1.0).abs() < 1e-12);
    }
}
