//! The clock of this process: it never goes back, whatever happens to the date.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A moment: microseconds since this process first asked.
pub type Moment = u64;

/// Now.
pub fn now() -> Moment {
    micros(BEGIN.elapsed())
}

/// A duration as the difference of two moments.
pub fn micros(duration: Duration) -> Moment {
    duration.as_micros().try_into().unwrap_or(Moment::MAX)
}
