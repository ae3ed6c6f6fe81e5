//! Hearing of changes: a connection of its own, on a thread of its own, to which Redis pushes what has changed.
//!
//! Expected flow: [`Link::open`] connects and begins to follow; what was changed is told to [`Liveness`], and that the
//! server answers, a few times a second. When the connection is lost, nothing is believed any more, and the link comes
//! about again by itself, with pauses that grow to [`LONGEST_PAUSE`]. [`Link::close`] ends the thread and waits for it.
//!
//! Where changes cannot be pushed (a Redis before 6, a proxy, an ACL without `client`), the link only watches whether
//! the server answers, and nothing is cached ([`Mode::PassThrough`]).
//!
//! A heartbeat is sent before the moment that it confirms is over: Redis pushes what it did until then before it
//! answers, or right after, before it waits for anybody again.

use super::commands::GLOBS;
use super::endpoint::{Endpoint, Protocol};
use super::failure::explained;
use super::pool::Pool;
use super::wire::{Connection, Waker};
use crate::runtime::config::cache::Liveness;
use crate::runtime::config::clock::{Moment, now};
use crate::runtime::config::source::SourceError;
use crate::runtime::sync::{Arc, Signal};
use redis::{ErrorKind, PushKind, RedisResult, Value, cmd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the server is asked whether it is there.
const HEARTBEAT: Duration = Duration::from_millis(200);
/// How long it may take to answer that.
const PATIENCE: Duration = Duration::from_secs(1);
/// The pauses between attempts to connect again.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE_OF_REFUSED: Duration = Duration::from_secs(10);

/// What a link can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// Changes are pushed.
    Tracking,
    /// The server answers, and does not push, for this reason.
    PassThrough(String),
    /// The server cannot be asked, for this reason.
    Down(SourceError),
}

/// A mode, and which change of mode it came with.
#[derive(Debug, Clone)]
pub struct Status {
    /// The mode.
    pub mode: Mode,
    /// Grows with every change.
    pub number: u64,
    /// Happens with the next change, or when the link is closed.
    pub next: Arc<Signal>,
}

/// What the thread shares with the others.
struct Shared {
    endpoint: Endpoint,
    liveness: Arc<Liveness>,
    pool: Arc<Pool>,
    stop: Signal,
    // The standard library's: the thread holds no interpreter, so a fork may copy this one locked. A child never
    // touches it.
    status: Mutex<Status>,
    /// Wakes the thread where it waits for the server.
    waker: Mutex<Option<Waker>>,
}

/// A link. Lives from its opening to its closing; a forked child has none.
pub struct Link {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Link {
    /// Connects, and follows from then on; what cannot be reached is down, and comes up by itself. Blocks as long as the
    /// endpoint's timeouts allow.
    ///
    /// # Errors
    /// No thread is to be had.
    pub fn open(endpoint: &Endpoint, liveness: &Arc<Liveness>, pool: &Arc<Pool>) -> Result<Self, SourceError> {
        let session = Session::begin(endpoint);
        let mode = Mode::of(&session);
        let shared = Arc::new(Shared {
            endpoint: endpoint.clone(),
            liveness: Arc::clone(liveness),
            pool: Arc::clone(pool),
            stop: Signal::new(),
            status: Mutex::new(Status { mode, number: 1, next: Arc::default() }),
            waker: Mutex::new(None),
        });
        let following = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("jaseci.svc/link".to_owned())
            .spawn(move || following.follow(session))
            .map_err(|error| SourceError::Unavailable(format!("{endpoint} cannot be followed: {error}")))?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// What it can tell now.
    pub fn status(&self) -> Status {
        self.shared.status().clone()
    }

    /// Ends it and waits for its thread. Blocks, for an attempt to connect at most.
    pub fn close(&self) {
        self.shared.stop.set();
        if let Some(waker) = &*self.shared.waker() {
            waker.wake();
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A thread that panicked has nothing more to say.
            let _ = thread.join();
        }
        self.shared.liveness.lose();
        self.shared.status().next.set();
    }
}

impl Mode {
    fn of(session: &Result<Session, SourceError>) -> Self {
        match session {
            Ok(Session { untracked: None, .. }) => Self::Tracking,
            Ok(Session { untracked: Some(reason), .. }) => Self::PassThrough(reason.clone()),
            Err(error) => Self::Down(error.clone()),
        }
    }
}

impl Shared {
    fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waker(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one who closes either finds the waker, or has asked to stop before the thread looks.
    fn be_woken_by_closing(&self, connection: &Connection) {
        *self.waker() = connection.waker().ok();
    }

    fn enter(&self, mode: Mode) {
        let mut status = self.status();
        if status.mode != mode {
            let status_now = Status { mode, number: status.number + 1, next: Arc::default() };
            std::mem::replace(&mut *status, status_now).next.set();
        }
    }

    /// Who is refused for a wrong password need not ask every second.
    fn longest_pause(&self) -> Duration {
        match self.status().mode {
            Mode::Down(SourceError::Refused(_)) => LONGEST_PAUSE_OF_REFUSED,
            _ => LONGEST_PAUSE,
        }
    }

    fn follow(&self, mut session: Result<Session, SourceError>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let mode = Mode::of(&session);
            if let Ok(session) = session {
                // What was fetched before changes were pushed may be out of date, and where a primary has moved the
                // idle connections lead to the old one.
                self.pool.renew();
                self.liveness.invalidate();
                self.enter(mode);
                let end = session.listen(self);
                self.liveness.lose();
                match end {
                    Some(error) => self.enter(Mode::Down(error)),
                    None => return,
                }
                pause = FIRST_PAUSE;
            } else {
                self.liveness.lose();
                self.enter(mode);
            }
            if self.stop.wait(Some(pause)) {
                return;
            }
            pause = (pause * 2).min(self.longest_pause());
            session = Session::begin(&self.endpoint);
        }
    }
}

/// One connection of a link.
struct Session {
    connection: Connection,
    /// Why changes are not pushed; `None` if they are.
    untracked: Option<String>,
    heartbeats: Heartbeats,
}

impl Session {
    fn begin(endpoint: &Endpoint) -> Result<Self, SourceError> {
        let explain = |error| explained(endpoint, &error);
        let (connection, untracked) = match endpoint.try_connect(Protocol::Pushing) {
            Ok(mut connection) => {
                let refusal = refusal(track(&mut connection)).map_err(explain)?;
                (connection, refusal)
            }
            // What the server answered may concern the newer protocol only; whether it does, the older one shows.
            Err(error) => {
                let refusal = refusal(Err(error)).map_err(explain)?;
                (endpoint.connect(Protocol::Older)?, refusal)
            }
        };
        Ok(Self { connection, untracked, heartbeats: Heartbeats::default() })
    }

    /// Listens until the connection is lost, with the reason, or until the link is closed.
    fn listen(mut self, shared: &Shared) -> Option<SourceError> {
        let tracks = self.untracked.is_none();
        shared.be_woken_by_closing(&self.connection);
        while !shared.stop.is_set() {
            let heard = self
                .heartbeats
                .send_if_due(&mut self.connection)
                .and_then(|wait| self.connection.receive_within(wait)?.extract_error());
            match heard {
                Ok(Value::Push { kind: PushKind::Invalidate, .. }) => shared.liveness.invalidate(),
                Ok(Value::Push { .. }) => {}
                Ok(answer) => {
                    if let Some(sent) = self.heartbeats.answered(&answer)
                        && tracks
                    {
                        shared.liveness.confirm(sent);
                    }
                }
                Err(error) if error.is_timeout() && !self.heartbeats.is_overdue() => {}
                Err(error) => return Some(explained(&shared.endpoint, &error)),
            }
        }
        None
    }
}

/// Splits what a server refused, which is its good right, from what went wrong.
fn refusal(result: RedisResult<()>) -> RedisResult<Option<String>> {
    match result {
        Err(error) if error.code().is_some() || error.kind() == ErrorKind::RESP3NotSupported => {
            Ok(Some(error.to_string()))
        }
        other => other.map(|()| None),
    }
}

fn track(connection: &mut Connection) -> RedisResult<()> {
    let track = cmd("CLIENT").arg("TRACKING").arg("ON").arg("BCAST").arg("PREFIX").arg(GLOBS).take();
    connection.ask(&track)?.extract_error().map(drop)
}

/// Asking whether the server is there, while listening for what it says by itself.
#[derive(Default)]
struct Heartbeats {
    number: u64,
    sent: Option<Moment>,
    last: Moment,
}

impl Heartbeats {
    /// Sends one if it is time; returns how long to wait for what is said, at most.
    fn send_if_due(&mut self, connection: &mut Connection) -> RedisResult<Duration> {
        let now = now();
        if let Some(sent) = self.sent {
            return Ok(until(sent, PATIENCE, now));
        }
        let left = until(self.last, HEARTBEAT, now);
        if self.number > 0 && !left.is_zero() {
            return Ok(left);
        }
        self.number += 1;
        (self.sent, self.last) = (Some(now), now);
        connection.send(&cmd("PING").arg(self.number).get_packed_command())?;
        Ok(PATIENCE)
    }

    /// When the heartbeat was sent that this answers.
    fn answered(&mut self, answer: &Value) -> Option<Moment> {
        let number: u64 = redis::from_redis_value_ref(answer).ok()?;
        if number == self.number { self.sent.take() } else { None }
    }

    fn is_overdue(&self) -> bool {
        self.sent.is_some_and(|sent| until(sent, PATIENCE, now()).is_zero())
    }
}

/// What is left of a span that began at `begin`.
fn until(begin: Moment, span: Duration, now: Moment) -> Duration {
    span.saturating_sub(Duration::from_micros(now.saturating_sub(begin)))
}
