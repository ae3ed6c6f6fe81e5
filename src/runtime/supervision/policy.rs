//! What a service wants done about it: its restart policy, its patience, its way with what it requires.

use super::backoff::Backoff;
use std::time::Duration;

/// When a service is restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// Not at all: failures are reported.
    Never,
    /// When it has failed, is unhealthy, or one of its daemons ended with an error or is silent.
    OnFailure,
    /// Also when it was stopped, or a daemon of its just returned.
    Always,
}

/// What a service does when one that it requires ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnLoss {
    /// It is stopped, and started again after it.
    Restart,
    /// It goes on.
    Keep,
}

/// So many restarts in so long a time; what exceeds that is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// How many restarts there may be within the window.
    pub restarts: usize,
    /// How long they count.
    pub window: Duration,
}

/// How health is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checking {
    /// From one check to the next.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// All of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// When it is restarted.
    pub restart: Restart,
    /// What it does when one that it requires ends.
    pub on_loss: OnLoss,
    /// The delays between restarts.
    pub backoff: Backoff,
    /// How many restarts are too many.
    pub cap: Cap,
    /// How its health is checked, if it is.
    pub checking: Option<Checking>,
    /// How long its start may take before others stop counting on it.
    pub start_timeout: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            restart: Restart::OnFailure,
            on_loss: OnLoss::Restart,
            backoff: Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(30) },
            cap: Cap { restarts: 5, window: Duration::from_mins(1) },
            checking: Some(Checking { interval: Duration::from_secs(10), timeout: Duration::from_secs(2) }),
            start_timeout: Duration::from_secs(30),
        }
    }
}

/// What an attribute cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Invalid {
    /// A word that is none of the known ones.
    #[error("{0} must be one of {1}, not {2:?}")]
    Word(&'static str, &'static str, String),
    /// A number of seconds that is none, negative, or endless.
    #[error("{0} must be a number of seconds above 0 and below a billion, not {1}")]
    Seconds(&'static str, f64),
    /// A pair in the wrong order.
    #[error("backoff must be (first, longest) with first <= longest, not ({0}, {1})")]
    Backoff(f64, f64),
    /// Fewer restarts than none.
    #[error("restart_cap must be (restarts, seconds) with restarts >= 0, not ({0}, {1})")]
    Cap(i64, f64),
}

impl Restart {
    /// From its public name.
    ///
    /// # Errors
    /// [`Invalid::Word`] for another one.
    pub fn named(name: &str) -> Result<Self, Invalid> {
        match name {
            "never" => Ok(Self::Never),
            "on-failure" => Ok(Self::OnFailure),
            "always" => Ok(Self::Always),
            _ => Err(Invalid::Word("restart", "'never', 'on-failure' and 'always'", name.to_owned())),
        }
    }
}

impl OnLoss {
    /// From its public name.
    ///
    /// # Errors
    /// [`Invalid::Word`] for another one.
    pub fn named(name: &str) -> Result<Self, Invalid> {
        match name {
            "restart" => Ok(Self::Restart),
            "keep" => Ok(Self::Keep),
            _ => Err(Invalid::Word("on_dependency_loss", "'restart' and 'keep'", name.to_owned())),
        }
    }
}

/// A duration that a policy may have.
///
/// # Errors
/// [`Invalid::Seconds`] for what is not above zero, or longer than any process lives.
pub fn seconds(attribute: &'static str, seconds: f64) -> Result<Duration, Invalid> {
    if seconds > 0.0 && seconds < 1e9 {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(Invalid::Seconds(attribute, seconds))
    }
}

impl Backoff {
    /// Delays between these numbers of seconds.
    ///
    /// # Errors
    /// [`Invalid`] for what are no delays, or the longest below the first.
    pub fn between(first: f64, longest: f64) -> Result<Self, Invalid> {
        let backoff = Self { first: seconds("backoff", first)?, longest: seconds("backoff", longest)? };
        if backoff.first > backoff.longest { Err(Invalid::Backoff(first, longest)) } else { Ok(backoff) }
    }
}

impl Cap {
    /// So many restarts in so many seconds.
    ///
    /// # Errors
    /// [`Invalid`] for fewer than none, or for what is no time.
    pub fn of(restarts: i64, window: f64) -> Result<Self, Invalid> {
        let restarts = usize::try_from(restarts).map_err(|_| Invalid::Cap(restarts, window))?;
        Ok(Self { restarts, window: seconds("restart_cap", window)? })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_none_is_named_with_those_that_are() {
        let told = Restart::named("sometimes").map_err(|invalid| invalid.to_string());
        assert_eq!(told.unwrap_err(), "restart must be one of 'never', 'on-failure' and 'always', not \"sometimes\"");
    }

    #[test]
    fn durations_that_are_none_are_refused() {
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e12] {
            assert!(seconds("health_interval", odd).is_err());
        }
        assert!(Backoff::between(2.0, 1.0).is_err());
        assert!(Backoff::between(1.0, 1.0).is_ok());
    }
}
