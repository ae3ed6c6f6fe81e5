//! The line before a gate: those of its waiters that must all have it, in the order in which they came.
//!
//! Plain data under its user's lock, like the gate itself.

/// A place in the line. Lives from [`Line::join`] to [`Line::leave`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot(u64);

/// The line.
#[derive(Debug, Default)]
pub struct Line {
    joined: u64,
    waiting: Vec<Spot>,
}

impl Line {
    /// Joins at the end.
    pub fn join(&mut self) -> Spot {
        self.joined += 1;
        let spot = Spot(self.joined);
        self.waiting.push(spot);
        spot
    }

    /// Whether everybody who came before has left.
    pub fn is_next(&self, spot: Spot) -> bool {
        self.waiting.first().is_none_or(|first| *first == spot)
    }

    /// Leaves, from wherever it stands.
    pub fn leave(&mut self, spot: Spot) {
        self.waiting.retain(|other| *other != spot);
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// In a forked child: those who waited stayed in the parent.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn whoever_came_first_is_next_and_then_whoever_came_after() {
        let mut line = Line::default();
        let (first, second) = (line.join(), line.join());
        assert!(line.is_next(first) && !line.is_next(second));
        line.leave(first);
        assert!(line.is_next(second));
    }

    #[test]
    fn whoever_leaves_from_the_middle_keeps_nobody_waiting() {
        let mut line = Line::default();
        let (first, second, third) = (line.join(), line.join(), line.join());
        line.leave(second);
        assert!(line.is_next(first));
        line.leave(first);
        assert!(line.is_next(third));
        line.leave(third);
        assert!(line.is_empty());
    }
}
