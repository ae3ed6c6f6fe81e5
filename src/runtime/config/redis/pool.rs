//! Connections for commands. Few: a command takes some ten microseconds, and configs are mostly read from the cache.

use super::endpoint::{Endpoint, Protocol};
use super::failure::explained;
use super::wire::Connection;
use crate::runtime::blocking::Detached;
use crate::runtime::config::clock::{Moment, micros, now};
use crate::runtime::config::source::SourceError;
use crate::runtime::sync::{AtomicU64, Mutex, Ordering};
use redis::{ConnectionLike, RedisResult};
use std::time::Duration;

/// More than this are closed after use: a burst of threads needs them once.
const MOST_IDLE: usize = 8;
/// What has been idle for longer is asked whether it still works, where trying twice would not be the same as once.
const TRUSTED_FOR: Duration = Duration::from_millis(500);

struct Idle {
    connection: Connection,
    since: Moment,
    /// The session of the pool that it belongs to.
    session: u64,
}

/// The idle connections to an endpoint. Lives as long as the layer; after a fork the child forgets those of its parent.
pub struct Pool {
    idle: Mutex<Vec<Idle>>,
    session: AtomicU64,
}

/// What it means to run a command twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// The same as once.
    Harmless,
    /// Not the same: a write of somebody else's may lie in between.
    Harmful,
}

impl Default for Pool {
    /// Without connections.
    fn default() -> Self {
        Self { idle: Mutex::new(Vec::new()), session: AtomicU64::new(0) }
    }
}

impl Pool {
    /// What is idle now is not used any more: the server behind the address may be another one.
    pub fn renew(&self) {
        self.session.fetch_add(1, Ordering::AcqRel);
    }

    /// Runs `command` on a connection, detached from the host. A connection that was closed while it was idle is
    /// replaced once.
    ///
    /// # Errors
    /// [`SourceError`] names the server and the reason.
    pub fn run<T: Send>(
        &self,
        endpoint: &Endpoint,
        host: &impl Detached,
        repeat: Repeat,
        command: impl Fn(&mut Connection) -> RedisResult<T> + Send + Sync,
    ) -> Result<T, SourceError> {
        let session = self.session.load(Ordering::Acquire);
        let idle = self.take(session);
        let (result, connection) = host.detached(|| execute(endpoint, idle, repeat, &command));
        if let Some(connection) = connection {
            self.give_back(Idle { connection, since: now(), session });
        }
        result
    }

    fn take(&self, session: u64) -> Option<Idle> {
        let mut idle = self.idle.lock();
        while let Some(found) = idle.pop() {
            if found.session == session {
                return Some(found);
            }
        }
        None
    }

    fn give_back(&self, idle: Idle) {
        let mut all = self.idle.lock();
        if all.len() < MOST_IDLE && idle.session == self.session.load(Ordering::Acquire) {
            all.push(idle);
        }
    }

    /// Closes what is idle.
    pub fn close(&self) {
        let idle = std::mem::take(&mut *self.idle.lock());
        drop(idle);
    }

    /// In a forked child: the parent's connections are neither closed nor spoken on.
    pub fn forked(&self) {
        std::mem::forget(std::mem::take(&mut *self.idle.lock()));
    }
}

fn execute<T>(
    endpoint: &Endpoint,
    idle: Option<Idle>,
    repeat: Repeat,
    command: &impl Fn(&mut Connection) -> RedisResult<T>,
) -> (Result<T, SourceError>, Option<Connection>) {
    if let Some(mut connection) = idle.and_then(|idle| usable(idle, repeat)) {
        match command(&mut connection) {
            Err(error) if repeat == Repeat::Harmless && error.is_connection_dropped() => {}
            result => return finished(endpoint, result, connection),
        }
    }
    // RESP2: every server speaks it, and commands need no more.
    match endpoint.connect(Protocol::Older) {
        Ok(mut connection) => {
            let result = command(&mut connection);
            finished(endpoint, result, connection)
        }
        Err(error) => (Err(error), None),
    }
}

fn usable(idle: Idle, repeat: Repeat) -> Option<Connection> {
    let Idle { mut connection, since, .. } = idle;
    let is_trusted = repeat == Repeat::Harmless || now().saturating_sub(since) < micros(TRUSTED_FOR);
    (is_trusted || connection.check_connection()).then_some(connection)
}

/// A connection on which the server has said something, be it an error, can be used again.
fn finished<T>(
    endpoint: &Endpoint,
    result: RedisResult<T>,
    connection: Connection,
) -> (Result<T, SourceError>, Option<Connection>) {
    match result {
        Ok(value) => (Ok(value), Some(connection)),
        Err(error) => {
            let reusable = error.code().is_some() && connection.is_open();
            (Err(explained(endpoint, &error)), reusable.then_some(connection))
        }
    }
}
