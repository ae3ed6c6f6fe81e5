//! How long to wait before another attempt: twice as long each time, within bounds, with jitter.

use std::time::Duration;

/// The first and the longest delay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// Before the first attempt.
    pub first: Duration,
    /// No delay is longer.
    pub longest: Duration,
}

impl Backoff {
    /// The delay before attempt number `attempt`, from 0. Jitter shortens it, by half at most: what failed together does
    /// not come back together, and nothing waits longer than was asked for.
    pub fn delay(&self, attempt: u32, jitter: &mut Jitter) -> Duration {
        let doubled = 2_u32.checked_pow(attempt).and_then(|factor| self.first.checked_mul(factor));
        let full = doubled.map_or(self.longest, |delay| delay.min(self.longest));
        full.mul_f64(1.0 - jitter.fraction() / 2.0)
    }
}

/// Where the randomness comes from: a seed, so that a test can repeat it. `SplitMix64` by Steele, Lea and Flood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Jitter {
    /// There is none: delays are exact.
    Off,
    /// The state of the generator; at first, the seed.
    Seeded(u64),
}

impl Jitter {
    /// The next number from 0 to below 1.
    #[allow(clippy::cast_precision_loss, reason = "53 bits are what an f64 holds")]
    pub fn fraction(&mut self) -> f64 {
        let Self::Seeded(state) = self else { return 0.0 };
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(30) };

    #[test]
    fn delays_double_up_to_the_longest() {
        let delays: Vec<_> = (0..9).map(|attempt| BACKOFF.delay(attempt, &mut Jitter::Off).as_secs_f64()).collect();
        assert_eq!(delays, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]);
    }

    #[test]
    fn an_attempt_beyond_all_numbers_waits_the_longest() {
        assert_eq!(BACKOFF.delay(u32::MAX, &mut Jitter::Off), BACKOFF.longest);
    }

    #[test]
    fn jitter_shortens_by_half_at_most_and_is_the_same_for_the_same_seed() {
        let draw = |seed| {
            let mut jitter = Jitter::Seeded(seed);
            (0..200).map(|_| BACKOFF.delay(1, &mut jitter)).collect::<Vec<_>>()
        };
        let delays = draw(7);
        assert!(delays.iter().all(|delay| *delay > Duration::from_millis(499) && *delay <= Duration::from_secs(1)));
        assert!(delays.iter().any(|delay| *delay < Duration::from_millis(600)));
        assert!(delays.iter().any(|delay| *delay > Duration::from_millis(900)));
        assert_eq!(delays, draw(7));
        assert_ne!(delays, draw(8));
    }
}
