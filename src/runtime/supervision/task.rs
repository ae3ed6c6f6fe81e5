//! What the supervisor asks of its host: tasks, health checks, and lines for the log.

use std::sync::Arc;
use std::time::Duration;

/// One handing out of work; who comes to report brings it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token(pub u64);

/// What is to be done with a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Start it, out of FAILED as well. It may not be built yet.
    Start,
    /// Reset it: it is not well.
    Restart,
    /// Stop it, because of a service that it requires.
    Stop {
        /// Why, for people.
        reason: Arc<str>,
    },
    /// Leave it FAILED, because a service that it requires is not there.
    Block {
        /// Why, for people.
        reason: Arc<str>,
    },
    /// Stop it and leave it FAILED: it was restarted too often.
    GiveUp {
        /// What was wrong with it last.
        reason: Arc<str>,
        /// Its last restarts, the oldest first.
        history: Vec<Past>,
    },
    /// Run one of its daemons again, after ending it if it is alive.
    RestartDaemon {
        /// Its name.
        daemon: Arc<str>,
    },
}

/// A restart that took place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// When, by the supervisor's clock.
    pub at: Duration,
    /// What was wrong. Free of secrets.
    pub cause: Arc<str>,
}

/// A task for the service of this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// To report with.
    pub token: Token,
    /// The service's name.
    pub service: Arc<str>,
    /// What to do.
    pub kind: Kind,
}

/// A health check to be made.
#[derive(Debug, Clone)]
pub struct Check<S> {
    /// To report with.
    pub token: Token,
    /// The service's name.
    pub name: Arc<str>,
    /// Whom to ask.
    pub service: S,
}

/// How serious a line for the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Good news.
    Info,
    /// Something is being done about it.
    Warning,
    /// Nothing is done about it any more.
    Error,
}

/// A line for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How serious it is.
    pub severity: Severity,
    /// What it says. Free of secrets.
    pub text: String,
}
