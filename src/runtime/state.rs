//! The four states of a service and their numbers, which are public interface.

/// Where a service stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServiceState {
    /// A start ended with an error; `reset` is the way out.
    Failed,
    /// Built, and not started or stopped again.
    NotStarted,
    /// Being started: `run` is under way.
    Started,
    /// `run` has ended well.
    Running,
}

impl ServiceState {
    /// All states, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Failed, Self::NotStarted, Self::Started, Self::Running];

    /// The state's public number: `FAILED` -1, `NOT_STARTED` 0, `STARTED` 1, `RUNNING` 2.
    pub const fn number(self) -> i64 {
        match self {
            Self::Failed => -1,
            Self::NotStarted => 0,
            Self::Started => 1,
            Self::Running => 2,
        }
    }

    /// The state with this public number.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }

    /// The state's place in [`ServiceState::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Self::Failed => 0,
            Self::NotStarted => 1,
            Self::Started => 2,
            Self::Running => 3,
        }
    }

    /// The state's public name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "FAILED",
            Self::NotStarted => "NOT_STARTED",
            Self::Started => "STARTED",
            Self::Running => "RUNNING",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_public_enum() {
        let numbers: Vec<_> = ServiceState::ALL.iter().map(|state| state.number()).collect();
        assert_eq!(numbers, [-1, 0, 1, 2]);
    }

    #[test]
    fn every_number_leads_back_to_its_state_and_others_to_none() {
        for state in ServiceState::ALL {
            assert_eq!(ServiceState::from_number(state.number()), Some(state));
        }
        assert_eq!(ServiceState::from_number(3), None);
    }
}
