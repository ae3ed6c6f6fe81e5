//! The life cycle of one service: its states, its generations, its one starter.
//!
//! Expected flow of a start, by whoever runs the service's code:
//! [`Lifecycle::begin_start`] hands out a [`Ticket`] to one caller; it executes `run` and reports
//! [`Lifecycle::ran`] or [`Lifecycle::fail`], executes what follows, and ends with [`Lifecycle::end`], always.
//! Everybody else that came meanwhile waited inside `begin_start` and gets no ticket. A reset or a stop takes the
//! same gate by [`Lifecycle::begin_end`], which begins a new generation.
//!
//! Guarantees: one ticket at a time is in force. A start and a reset never interleave. What a caller of a past
//! generation reports or writes ([`Lifecycle::write`]) is dropped. Every wait ends with the caller's deadline.

use super::blocking::{Blocking, Ident, Waited};
use super::daemon::{Daemon, Daemons};
use super::events::{Event, now};
use super::gate::{Gate, Hold, Purpose, Until};
use super::line::{Line, Spot};
use super::process::Process;
use super::roster::{Closed, Place};
use super::state::ServiceState;
use super::supervision::supervised::Sample;
use super::sync::{Arc, AtomicU64, Mutex, MutexGuard, Ordering, Signal};
use super::tally::Tally;
use super::waits::{Cycle, Standing, Tag};

/// The right to start, reset or stop a service. Lives until [`Lifecycle::end`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(Hold);

/// Who asks for a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// `start()`: waits until everything has ended, starts a stopped service.
    Explicitly,
    /// `start()` of something whose failure does not last: as `Explicitly`, out of FAILED as well.
    Anew,
    /// A read of the app: waits only for `run`, leaves a stopped service alone.
    ByReading,
}

/// Why a caller got neither a ticket nor an outcome.
#[derive(Debug, thiserror::Error)]
pub enum Refused<I> {
    /// Waiting would never end.
    #[error("start cycle: {0}")]
    Cycle(Cycle),
    /// The deadline is over; this caller still holds the service.
    #[error("timed out waiting for caller {}", .0.0)]
    TimedOut(Ident),
    /// The runtime was shut down.
    #[error(transparent)]
    Closed(#[from] Closed),
    /// The wait was interrupted from outside.
    #[error("interrupted")]
    Interrupted(I),
}

/// What became of a write.
#[derive(Debug, PartialEq, Eq)]
pub enum Written<T> {
    /// It took place.
    Done(T),
    /// It came from a past generation.
    Late,
    /// Somebody works for a past generation: say who writes.
    WhoWrites,
}

const STATE: u64 = 0b11;
const ENABLED: u64 = 1 << 2;
const HAS_APP: u64 = 1 << 3;
const STOPPED: u64 = 1 << 4;
const LATE: u64 = 1 << 5;
/// A reset has cleared the service and not started it yet.
const RESETTING: u64 = 1 << 6;
/// There has been a daemon.
const DAEMONS: u64 = 1 << 7;

#[derive(Debug)]
struct Inner {
    gate: Gate,
    /// Those who want to end the generation and cannot yet.
    line: Line,
    generation: u64,
    /// Asks the generation to end; made when it is looked for.
    stop: Option<Arc<Signal>>,
    place: Option<Place>,
    /// [`Process::forks`] when this was last looked at.
    forks: u64,
}

/// The life cycle. Lives as long as its service.
#[derive(Debug)]
pub struct Lifecycle<M: Clone> {
    process: Arc<Process<M>>,
    member: M,
    tag: Arc<Tag>,
    /// State and flags in one word, so that a read is one load. Written under the lock.
    status: AtomicU64,
    /// When the state was entered: seconds since the epoch, as the bits of an `f64`.
    since: AtomicU64,
    daemons: Daemons,
    tally: Tally,
    inner: Mutex<Inner>,
}

impl<M: Clone> Lifecycle<M> {
    /// The life cycle of a new service: not started, disabled, without an app.
    pub fn new(process: Arc<Process<M>>, member: M, name: Arc<str>) -> Self {
        let tag = Arc::new(Tag::new(name));
        let gate = Gate::new(Arc::clone(&tag));
        let inner =
            Inner { gate, line: Line::default(), generation: 1, stop: None, place: None, forks: process.forks() };
        Self {
            process,
            member,
            status: AtomicU64::new(ServiceState::NotStarted.index() as u64),
            since: AtomicU64::new(now().to_bits()),
            daemons: Daemons::default(),
            tally: Tally::default(),
            inner: Mutex::new(inner),
            tag,
        }
    }

    /// The service's name.
    pub fn name(&self) -> Arc<str> {
        self.tag.label()
    }

    /// Gives the service the name under which it was built.
    pub fn rename(&self, name: Arc<str>) {
        self.tag.rename(name);
    }

    /// The state.
    pub fn state(&self) -> ServiceState {
        state_in(self.load())
    }

    /// When the state was entered, in seconds since the epoch.
    pub fn since(&self) -> f64 {
        f64::from_bits(self.since.load(Ordering::Acquire))
    }

    /// Whether the settings enable the service.
    pub fn is_enabled(&self) -> bool {
        self.load() & ENABLED != 0
    }

    /// `NOT_STARTED` and no app.
    pub fn is_ready(&self) -> bool {
        self.load() & (STATE | HAS_APP) == ServiceState::NotStarted.index() as u64
    }

    /// RUNNING and an app. One atomic load.
    pub fn is_running(&self) -> bool {
        self.load() & (STATE | HAS_APP) == ServiceState::Running.index() as u64 | HAS_APP
    }

    /// Whether reading the app would start the service or wait for its start.
    pub fn starts_when_read(&self) -> bool {
        let status = self.load();
        match state_in(status) {
            // What `run` has assigned so far is not ready for others.
            ServiceState::Started => true,
            // What it has assigned before it failed is about to be dropped.
            ServiceState::Failed => status & HAS_APP != 0,
            // In a reset the other flags are those of neither generation.
            ServiceState::NotStarted if status & HAS_APP == 0 => {
                status & RESETTING != 0 || status & (ENABLED | STOPPED) == ENABLED
            }
            _ => false,
        }
    }

    /// The number of the generation in force.
    pub fn generation(&self) -> u64 {
        self.inner.lock().generation
    }

    /// Its daemons, past ones included. They are entered by [`Lifecycle::admit`].
    pub fn daemons(&self) -> &Daemons {
        &self.daemons
    }

    /// Who is starting, resetting or stopping the service right now.
    pub fn holder(&self) -> Option<Ident> {
        self.tag.owner()
    }

    /// Asks for the right to start. `None`: there is nothing to do, or another caller did it meanwhile.
    ///
    /// # Errors
    /// [`Refused`]: a cycle, the deadline, a shutdown or an interrupt. Nothing has changed then.
    pub fn begin_start<B: Blocking>(
        &self,
        me: Ident,
        asked: Asked,
        blocking: &mut B,
    ) -> Result<Option<Ticket>, Refused<B::Interrupt>> {
        loop {
            let mut inner = self.inner.lock();
            if asked == Asked::ByReading && !self.starts_when_read() {
                return Ok(None);
            }
            self.notice_fork(&mut inner);
            // Nothing starts for those whose generation is over. A daemon that reads waits for its successor's app.
            let late = self.is_late(&inner, me);
            if inner.gate.was_given_up(me) || (late && asked != Asked::ByReading) {
                return Ok(None);
            }
            let purpose = match inner.gate.holder() {
                None if late => return Ok(None),
                None => return self.start_now(&mut inner, me, asked).map_err(Refused::Closed),
                // The gate is the caller's own: a reset starts the new generation, anything else comes back to it.
                Some(hold) if hold.ident == me => match (hold.purpose, self.process.waits.standing(me, &self.tag)) {
                    (Purpose::Reset, Standing::Innermost) if asked != Asked::ByReading => {
                        return self.start_now(&mut inner, me, asked).map_err(Refused::Closed);
                    }
                    (_, Standing::Around(cycle)) if asked != Asked::ByReading => return Err(Refused::Cycle(cycle)),
                    _ => return Ok(None),
                },
                Some(hold) => hold.purpose,
            };
            let until = if asked == Asked::ByReading { Until::Ran } else { Until::Free };
            self.wait_for_holder(inner, me, until, blocking)?;
            // Who waited for a start has its outcome; after a stop the question is open again.
            if purpose != Purpose::Stop {
                return Ok(None);
            }
        }
    }

    fn start_now(&self, inner: &mut MutexGuard<'_, Inner>, me: Ident, asked: Asked) -> Result<Option<Ticket>, Closed> {
        let status = self.load();
        let pending = match state_in(status) {
            ServiceState::NotStarted => true,
            ServiceState::Failed => asked == Asked::Anew,
            _ => false,
        };
        if pending && status & (ENABLED | HAS_APP) == 0 && asked == Asked::Explicitly {
            // It may be disabled because its settings could not be read after a shutdown: a start says so.
            return self.process.roster.check_open().map(|()| None);
        }
        if !pending || status & (ENABLED | HAS_APP) != ENABLED || (asked == Asked::ByReading && status & STOPPED != 0) {
            return Ok(None);
        }
        inner.place = Some(self.process.roster.enter(self.member.clone(), inner.place)?);
        let generation = inner.generation;
        let hold = inner.gate.take(&self.process.waits, me, Purpose::Start, generation);
        self.update(|status| status & !STOPPED);
        self.note_holders(inner);
        self.enter_state(ServiceState::Started, None);
        self.tally.begin_start();
        Ok(Some(Ticket(hold)))
    }

    /// Reports that `run` has ended well. Returns whether the service is RUNNING now, so that `post_run` is due:
    /// not if it was reset meanwhile, nor if `run` itself chose another state.
    pub fn ran(&self, ticket: &Ticket) -> bool {
        let mut inner = self.inner.lock();
        if !Self::is_current(&inner, ticket) {
            return false;
        }
        if self.state() == ServiceState::Started {
            self.tally.end_start();
            self.enter_state(ServiceState::Running, None);
        }
        let runs = self.state() == ServiceState::Running;
        if runs {
            inner.place = inner.place.and_then(|place| self.process.roster.move_to_end(place));
        }
        inner.gate.wake(&self.process.waits, Some(Until::Ran));
        runs
    }

    /// Reports that `run` or what follows has failed. `record` keeps the error; it runs under the lock. Returns
    /// whether it was this generation's failure.
    pub fn fail(&self, ticket: &Ticket, reason: Arc<str>, record: impl FnOnce()) -> bool {
        let mut inner = self.inner.lock();
        let current = Self::is_current(&inner, ticket);
        if current {
            record();
            self.tally.count_failure();
            self.enter_state(ServiceState::Failed, Some(reason));
            self.let_readers_go(&mut inner);
        }
        current
    }

    /// Asks for the right to end the generation, for a reset or a stop, and ends it: from now on what its callers
    /// report and write is dropped. Whoever holds the service is waited for until the deadline, then given up; the
    /// deadline begins anew with each holder, and callers come to hold it in the order in which they asked. As long
    /// as any of them waits, the generation is asked to end ([`Lifecycle::stop_signal`]).
    ///
    /// A caller whose own generation is over resets nothing: its ticket is of the past from the beginning
    /// ([`Lifecycle::is_in_force`]). What it stops is stopped, for that may be a shutdown's doing.
    ///
    /// # Errors
    /// [`Refused`]: a cycle or an interrupt. Nothing has changed then, and nobody is asked to end any more, unless
    /// somebody else waits.
    pub fn begin_end<B: Blocking>(
        &self,
        me: Ident,
        purpose: Purpose,
        blocking: &mut B,
    ) -> Result<Ticket, Refused<B::Interrupt>> {
        let mut inner = self.inner.lock();
        self.notice_fork(&mut inner);
        let spot = inner.line.join();
        let (mut inner, turn) = self.wait_for_turn(inner, me, purpose, spot, blocking);
        let ticket = turn.map(|()| {
            if self.resets_in_vain(&inner, me, purpose) {
                Ticket(Hold::of_the_past(me, purpose))
            } else {
                self.end_generation(&mut inner, me, purpose)
            }
        });
        inner.line.leave(spot);
        if let Some(stop) = inner.stop.as_ref().filter(|_| inner.line.is_empty() && ticket.is_err()) {
            stop.take_back();
        }
        // Those who came later have somebody else before them now.
        inner.gate.wake(&self.process.waits, Some(Until::Turn));
        ticket
    }

    /// Waits until the gate is the caller's to take: from nobody, or from a holder that outlasts the deadline.
    fn wait_for_turn<'a, B: Blocking>(
        &'a self,
        mut inner: MutexGuard<'a, Inner>,
        me: Ident,
        purpose: Purpose,
        spot: Spot,
        blocking: &mut B,
    ) -> (MutexGuard<'a, Inner>, Result<(), Refused<B::Interrupt>>) {
        loop {
            let holder = inner.gate.outermost().copied();
            let may_take = inner.gate.is_held_by(me) || (holder.is_none() && inner.line.is_next(spot));
            if may_take || self.resets_in_vain(&inner, me, purpose) {
                return (inner, Ok(()));
            }
            let waited;
            (inner, waited) = self.wait_in_gate(inner, me, Until::Turn, blocking);
            let has_changed = inner.gate.outermost() != holder.as_ref();
            match waited {
                Err(refused) => return (inner, Err(refused)),
                Ok(_) if has_changed => blocking.renew(),
                Ok(Waited::Happened) => {}
                // Also if nobody holds it and whoever is next does not come.
                Ok(Waited::TimedOut) => return (inner, Ok(())),
            }
        }
    }

    fn resets_in_vain(&self, inner: &Inner, me: Ident, purpose: Purpose) -> bool {
        purpose == Purpose::Reset && self.is_late(inner, me)
    }

    fn end_generation(&self, inner: &mut MutexGuard<'_, Inner>, me: Ident, purpose: Purpose) -> Ticket {
        if !inner.gate.is_held_by(me) {
            inner.gate.give_up_holders(&self.process.waits);
        }
        inner.generation += 1;
        if let Some(stop) = inner.stop.take() {
            stop.set();
        }
        let generation = inner.generation;
        let hold = inner.gate.take(&self.process.waits, me, purpose, generation);
        self.note_holders(inner);
        Ticket(hold)
    }

    /// What asks `who` to stop: a daemon's own signal, elsewhere the generation's. That one is set as long as anybody
    /// waits to end the generation, and for good once it is over.
    pub fn stop_signal(&self, who: Ident) -> Arc<Signal> {
        let mut inner = self.inner.lock();
        self.notice_fork(&mut inner);
        if let Some(daemon) = self.daemons.running_on(who) {
            return Arc::clone(daemon.stop());
        }
        if self.is_late(&inner, who) {
            let over = Arc::new(Signal::new());
            over.set();
            return over;
        }
        Arc::clone(inner.stop.get_or_insert_default())
    }

    /// Whether what the holder of this ticket does still counts.
    pub fn is_in_force(&self, ticket: &Ticket) -> bool {
        Self::is_current(&self.inner.lock(), ticket)
    }

    /// Puts the service back to `NOT_STARTED`, in a reset or a stop; a stopped one is not started by a read.
    /// `drop_app` runs under the lock. Returns what it took out, unless the ticket is from the past.
    pub fn clear<T>(&self, ticket: &Ticket, drop_app: impl FnOnce() -> T) -> Option<T> {
        let inner = self.inner.lock();
        if !Self::is_current(&inner, ticket) {
            return None;
        }
        let (reason, flag) = match ticket.0.purpose {
            Purpose::Stop => ("stopped", STOPPED),
            _ => ("reset", RESETTING),
        };
        self.update(|status| status & !(HAS_APP | STOPPED) | flag);
        self.enter_state(ServiceState::NotStarted, Some(reason.into()));
        Some(drop_app())
    }

    /// Ends a ticket, whatever became of it, and lets the others in.
    pub fn end(&self, ticket: &Ticket) {
        let mut inner = self.inner.lock();
        let stopped = Self::is_current(&inner, ticket) && self.load() & STOPPED != 0;
        inner.gate.give_back(&self.process.waits, &ticket.0);
        if stopped && let Some(place) = inner.place.take() {
            self.process.roster.leave(place);
        }
        self.note_holders(&inner);
    }

    /// Ends a ticket that was dropped before its time. Who held it did not come to say how it went: that is a failure.
    pub fn abort(&self, ticket: &Ticket) {
        if ticket.0.purpose == Purpose::Start && self.state() == ServiceState::Started {
            self.fail(ticket, "interrupted".into(), || {});
        }
        self.end(ticket);
    }

    /// Enters a daemon of `me` in the generation in force, so that whoever ends that generation sees the daemon.
    /// `None`: there is one of this name, or not now, because `me` works for a past generation or somebody else ends
    /// this one. Enters the roster, where that was not done: daemons of a service that never started must be stopped,
    /// too.
    ///
    /// # Errors
    /// [`Closed`] after a shutdown.
    pub fn admit(&self, me: Ident, name: &Arc<str>) -> Result<Option<Arc<Daemon>>, Closed> {
        let mut inner = self.inner.lock();
        self.notice_fork(&mut inner);
        let ending = inner.gate.holder().is_some_and(|hold| hold.ident != me && hold.purpose != Purpose::Start);
        if ending || self.is_late(&inner, me) {
            return Ok(None);
        }
        if !inner.place.is_some_and(|place| self.process.roster.has(place)) {
            inner.place = Some(self.process.roster.enter(self.member.clone(), None)?);
        }
        self.update(|status| status | DAEMONS);
        Ok(self.daemons.enter(name, inner.generation))
    }

    /// Notes that a daemon has ended: perhaps it was the last of a past generation.
    pub fn daemon_ended(&self) {
        self.note_holders(&self.inner.lock());
    }

    /// Where it stands, all of one moment.
    pub fn sample(&self) -> Sample {
        let inner = self.inner.lock();
        let status = self.load();
        Sample {
            state: state_in(status),
            enabled: status & ENABLED != 0,
            stopped: status & STOPPED != 0,
            resetting: status & RESETTING != 0,
            generation: inner.generation,
        }
    }

    /// Puts a remark into the event stream: an event that leaves the state as it is.
    pub fn remark(&self, reason: Arc<str>) {
        let (state, when) = (self.state(), now());
        let reason = Some(reason);
        self.process.events.record(Event {
            number: 0,
            service: self.name(),
            before: state,
            after: state,
            reason,
            when,
        });
    }

    /// Moves to the end of the roster, as if it had started just now: it leans on what did.
    pub fn stop_earlier(&self) {
        let mut inner = self.inner.lock();
        inner.place = inner.place.and_then(|place| self.process.roster.move_to_end(place));
    }

    /// What it has been through, in numbers.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Whether a caller of a past generation is at work, so that a write must say who writes.
    pub fn has_late_writers(&self) -> bool {
        self.load() & LATE != 0
    }

    /// Lets `writer` change what the service guards, unless it works for a past generation. `change` runs under
    /// the lock and must be a few instructions.
    pub fn write<T>(&self, writer: Option<Ident>, change: impl FnOnce(&mut Flags<'_>) -> T) -> Written<T> {
        let mut inner = self.inner.lock();
        if self.load() & LATE != 0 {
            let Some(writer) = writer else { return Written::WhoWrites };
            if self.is_late(&inner, writer) {
                return Written::Late;
            }
        }
        let done = change(&mut Flags { status: &self.status, enter: &|state, reason| self.enter_state(state, reason) });
        self.let_readers_go(&mut inner);
        Written::Done(done)
    }

    /// In a forked child, where only `me` lives on. `shared` says that the app or the daemons did not survive the
    /// fork. Returns whether the service was put back to `NOT_STARTED`.
    pub fn forked(&self, me: Ident, shared: bool) -> bool {
        let mut inner = self.inner.lock();
        let interrupted = inner.gate.keep_only(me);
        self.notice_fork(&mut inner);
        let own = inner.gate.is_held_by(me);
        let lost = interrupted || (shared && !own && self.state() != ServiceState::Failed);
        if lost {
            inner.generation += 1;
            self.update(|status| status & !HAS_APP);
            self.enter_state(ServiceState::NotStarted, Some("forked".into()));
            // Nothing of it runs here any more: a shutdown of the child has nothing to stop.
            if let Some(place) = inner.place.take() {
                self.process.roster.leave(place);
            }
        }
        self.note_holders(&inner);
        lost
    }

    fn wait_for_holder<B: Blocking>(
        &self,
        inner: MutexGuard<'_, Inner>,
        me: Ident,
        until: Until,
        blocking: &mut B,
    ) -> Result<(), Refused<B::Interrupt>> {
        let (inner, waited) = self.wait_in_gate(inner, me, until, blocking);
        match (waited?, inner.gate.holder()) {
            (Waited::TimedOut, Some(hold)) => Err(Refused::TimedOut(hold.ident)),
            _ => Ok(()),
        }
    }

    /// Waits in the gate's queue, without the lock.
    fn wait_in_gate<'a, B: Blocking>(
        &'a self,
        mut inner: MutexGuard<'a, Inner>,
        me: Ident,
        until: Until,
        blocking: &mut B,
    ) -> (MutexGuard<'a, Inner>, Result<Waited, Refused<B::Interrupt>>) {
        let signal = match inner.gate.queue(&self.process.waits, me, until) {
            Ok(signal) => signal,
            Err(cycle) => return (inner, Err(Refused::Cycle(cycle))),
        };
        if until == Until::Turn {
            // A `run` that looks at the signal ends now, and need not be given up.
            inner.stop.get_or_insert_default().set();
        }
        drop(inner);
        let waited = blocking.wait(&signal);
        let mut inner = self.inner.lock();
        inner.gate.unqueue(&self.process.waits, me, &signal);
        // It may have happened between the deadline and the lock.
        let waited = waited.map(|waited| if signal.is_set() { Waited::Happened } else { waited });
        (inner, waited.map_err(Refused::Interrupted))
    }

    fn is_current(inner: &Inner, ticket: &Ticket) -> bool {
        inner.generation == ticket.0.generation && inner.gate.is_in_force(&ticket.0)
    }

    /// Whether `who` works for a generation that is over: by the innermost of its holds, else as a daemon.
    fn is_late(&self, inner: &Inner, who: Ident) -> bool {
        if self.load() & LATE == 0 {
            return false;
        }
        let hold = inner.gate.innermost_of(who).map(|hold| hold.generation);
        let own = hold.or_else(|| self.daemons.running_on(who).map(|daemon| daemon.generation()));
        own.is_some_and(|generation| generation != inner.generation)
    }

    fn note_holders(&self, inner: &Inner) {
        let has_late_daemons = self.load() & DAEMONS != 0 && self.daemons.any_before(inner.generation);
        let late = if has_late_daemons || inner.gate.has_late_holders(inner.generation) { LATE } else { 0 };
        let resets = inner.gate.holder().is_some_and(|hold| hold.purpose == Purpose::Reset);
        let over = if resets { 0 } else { RESETTING };
        self.update(|status| status & !(LATE | over) | late);
    }

    /// Of a start that has failed and left no app, readers need not await the rest. `failed()` may itself wait for
    /// a daemon that reads.
    fn let_readers_go(&self, inner: &mut Inner) {
        if self.load() & (STATE | HAS_APP) == ServiceState::Failed.index() as u64 {
            inner.gate.wake(&self.process.waits, Some(Until::Ran));
        }
    }

    /// In a forked child, once: frees the gate from a holder that stayed behind (the graph forgot it at the fork), and
    /// forgets who waited. [`Lifecycle::forked`] does so at once, but reaches only what is in the roster.
    fn notice_fork(&self, inner: &mut Inner) {
        let forks = self.process.forks();
        if std::mem::replace(&mut inner.forks, forks) == forks {
            return;
        }
        inner.line.clear();
        // Its lock may have been copied locked, by a thread that waited on it.
        inner.stop = None;
        let holder = inner.gate.holder().map(|hold| hold.ident);
        if holder.is_some_and(|holder| !self.process.waits.is_held_by(&self.tag, holder)) {
            inner.gate.bury();
            self.note_holders(inner);
        }
    }

    fn load(&self) -> u64 {
        self.status.load(Ordering::Acquire)
    }

    /// Every writer holds the lock, so this is no race.
    fn update(&self, change: impl FnOnce(u64) -> u64) {
        self.status.store(change(self.load()), Ordering::Release);
    }

    fn enter_state(&self, state: ServiceState, reason: Option<Arc<str>>) {
        let before = self.state();
        self.update(|status| status & !STATE | state.index() as u64);
        if before != state {
            let when = now();
            self.since.store(when.to_bits(), Ordering::Release);
            self.process.events.record(Event { number: 0, service: self.name(), before, after: state, reason, when });
        }
    }
}

impl<M: Clone> Drop for Lifecycle<M> {
    fn drop(&mut self) {
        if let Some(place) = self.inner.get_mut().place.take() {
            self.process.roster.leave(place);
        }
    }
}

fn state_in(status: u64) -> ServiceState {
    // Two bits, four states: the cast loses nothing and the index is in range.
    ServiceState::ALL[usize::try_from(status & STATE).unwrap_or_default()]
}

/// What a write may change besides its own data; handed out by [`Lifecycle::write`].
pub struct Flags<'a> {
    status: &'a AtomicU64,
    enter: &'a dyn Fn(ServiceState, Option<Arc<str>>),
}

impl Flags<'_> {
    /// The state as it is.
    pub fn current(&self) -> ServiceState {
        state_in(self.status.load(Ordering::Acquire))
    }

    /// Notes whether there is an app.
    pub fn has_app(&mut self, has: bool) {
        self.flag(HAS_APP, has);
    }

    /// Notes whether the settings enable the service.
    pub fn enabled(&mut self, enabled: bool) {
        self.flag(ENABLED, enabled);
    }

    /// Moves to another state, as an assignment or `failed()` does. Out of `NOT_STARTED` nothing is "stopped".
    pub fn state(&mut self, state: ServiceState, reason: Option<Arc<str>>) {
        self.flag(STOPPED, false);
        (self.enter)(state, reason);
    }

    fn flag(&mut self, flag: u64, on: bool) {
        let status = self.status.load(Ordering::Acquire);
        self.status.store(if on { status | flag } else { status & !flag }, Ordering::Release);
    }
}

#[cfg(all(test, not(loom)))]
#[path = "lifecycle_tests.rs"]
mod tests;
