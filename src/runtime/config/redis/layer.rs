//! Redis as a layer: what it says, what of that may be believed, and what is known of it while it does not answer.
//!
//! Guarantees: a fresh reading is not older than the bound that it states. What was once read of a name stays readable
//! while Redis cannot tell, said to be stale. What Redis has lost (a flush, a restart without data) is not taken for
//! deleted: it is kept, said to be stale, and written by nobody but whoever sets it again.

use super::commands::Commands;
use super::endpoint::Endpoint;
use super::link::{Link, Mode, Status};
use crate::runtime::blocking::Detached;
use crate::runtime::config::cache::{COHERENCE_BOUND, Cached, CoherentCache, Liveness, Lookup};
use crate::runtime::config::clock::{Moment, now};
use crate::runtime::config::source::{Answer, SourceError, Text};
use crate::runtime::config::text::MAX_BYTES;
use crate::runtime::sync::{Arc, AtomicBool, Mutex, Ordering};
use std::cmp::Ordering::{Equal, Greater, Less};
use std::collections::BTreeSet;
use std::time::Duration;

/// What was seen of a name.
#[derive(Debug, Clone, PartialEq)]
enum Seen {
    Present(Text),
    Absent,
    /// Redis had it, and its contents have been lost since.
    Lost(Text),
}

impl Cached for Seen {
    fn is_newer_than(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Present(mine), Self::Present(theirs)) => mine.is_newer_than(theirs),
            _ => false,
        }
    }
}

/// What is known of a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Its text; `None`: there is none.
    pub text: Option<Text>,
    /// When Redis was asked for it.
    pub asked_at: Moment,
    /// Why it may be out of date, if it may.
    pub stale: Option<String>,
    /// How old it may be at most, unless it is stale.
    pub bound: Duration,
}

/// A Redis as a layer. Lives as long as somebody refers to it: longer than one connection, and than a generation of
/// the service that opens it, so that what is known is still known after an outage.
pub struct RedisLayer {
    commands: Commands,
    cache: CoherentCache<Seen>,
    liveness: Arc<Liveness>,
    link: Mutex<Option<Arc<Link>>>,
    /// How many have opened it: a disposable service and a kept one may name the same Redis.
    users: Mutex<usize>,
    contacted: AtomicBool,
    /// Names that somebody runs on defaults for, because nothing was known of them.
    provisional: Mutex<BTreeSet<Arc<str>>>,
}

impl RedisLayer {
    /// The layer over the Redis at `endpoint`, not open.
    pub fn new(endpoint: Endpoint) -> Self {
        let liveness = Arc::new(Liveness::default());
        Self {
            commands: Commands::new(endpoint),
            cache: CoherentCache::new(Arc::clone(&liveness)),
            liveness,
            link: Mutex::new(None),
            users: Mutex::new(0),
            contacted: AtomicBool::new(false),
            provisional: Mutex::new(BTreeSet::new()),
        }
    }

    /// Where the Redis is.
    pub fn endpoint(&self) -> &Endpoint {
        &self.commands.endpoint
    }

    /// Whether this process has ever reached it.
    pub fn was_contacted(&self) -> bool {
        self.contacted.load(Ordering::Acquire)
    }

    // ------------------------------------------------------------------ open and closed

    /// Connects, unless somebody else has, and follows from then on: what cannot be reached now comes up by itself.
    /// Whatever comes of it, [`RedisLayer::close`] is due once.
    ///
    /// # Errors
    /// [`SourceError`]: why it cannot be used now.
    pub fn open(&self, host: &impl Detached) -> Result<(), SourceError> {
        *self.users.lock() += 1;
        if self.link.lock().is_none() {
            let link = host.detached(|| Link::open(&self.commands.endpoint, &self.liveness, &self.commands.pool))?;
            let second = self.link.lock().replace(Arc::new(link));
            if let Some(second) = second {
                host.detached(|| second.close());
            }
        }
        self.greet(host)
    }

    /// Whether it can be used now, by whoever has seen it come up. From the first time on it is part of the chain.
    ///
    /// # Errors
    /// [`SourceError`]: why it cannot be used.
    pub fn greet(&self, host: &impl Detached) -> Result<(), SourceError> {
        self.require_up()?;
        self.commands.greet(host)?;
        self.contacted.store(true, Ordering::Release);
        Ok(())
    }

    /// Gives up one opening; says whether it was the last one. Then the connections end; what is known stays known.
    pub fn close(&self, host: &impl Detached) -> bool {
        let left = {
            let mut users = self.users.lock();
            *users = users.saturating_sub(1);
            *users
        };
        if left == 0 {
            self.disconnect(host);
        }
        left == 0
    }

    /// Ends the connections, whoever uses them.
    pub fn disconnect(&self, host: &impl Detached) {
        let link = self.link.lock().take();
        if let Some(link) = link {
            host.detached(|| link.close());
        }
        self.commands.pool.close();
    }

    /// In a forked child: the parent's connections and thread are forgotten, what is known is not.
    pub fn forked(&self) {
        *self.users.lock() = 0;
        std::mem::forget(self.link.lock().take());
        self.commands.pool.forked();
        self.liveness.lose();
    }

    /// What the link can tell now; `None` while it is closed.
    pub fn status(&self) -> Option<Status> {
        let link = self.link.lock().as_ref().map(Arc::clone);
        link.map(|link| link.status())
    }

    fn require_up(&self) -> Result<Mode, SourceError> {
        match self.status().map(|status| status.mode) {
            Some(Mode::Down(error)) => Err(error),
            Some(mode) => Ok(mode),
            None => Err(SourceError::Unavailable(format!("{} is not connected", self.commands.endpoint))),
        }
    }

    // ------------------------------------------------------------------ globs

    /// What is known of a glob: fresh where Redis can tell, else the last that was seen.
    ///
    /// # Errors
    /// [`SourceError`] if Redis cannot tell and nothing was ever seen.
    pub fn read(&self, host: &impl Detached, name: &str) -> Result<Reading, SourceError> {
        let bound = match self.require_up() {
            Ok(Mode::Tracking) => COHERENCE_BOUND,
            Ok(_) => match self.unchanged(host, name) {
                Ok(None) => Duration::ZERO,
                Ok(Some(reading)) => return Ok(reading),
                Err(error) => return self.last(name, error),
            },
            Err(error) => return self.last(name, error),
        };
        match self.cache.look(name, now()) {
            Lookup::Hit(seen, asked_at) => Ok(self.reading(seen, asked_at, bound)),
            Lookup::Miss(ticket) => {
                let seen = match self.commands.read(host, name).and_then(|answer| self.judge(host, name, answer)) {
                    Ok(seen) => seen,
                    Err(error) => return self.last(name, error),
                };
                if !seen.is_huge() {
                    self.cache.fill(&name.into(), &ticket, seen.clone());
                }
                Ok(self.reading(seen, ticket.asked_at(), bound))
            }
        }
    }

    /// What is known of a glob, if Redis says just now that its text is still the same.
    fn unchanged(&self, host: &impl Detached, name: &str) -> Result<Option<Reading>, SourceError> {
        let Some((Seen::Present(known), _)) = self.cache.last(name) else { return Ok(None) };
        let asked_at = now();
        let text = self.commands.read_text(host, name)?;
        let is_same = text.as_ref() == Some(&known.text);
        Ok(is_same.then_some(Reading { text: Some(known), asked_at, stale: None, bound: Duration::ZERO }))
    }

    /// Tells what was deleted from what was lost, and both from an answer that others have overtaken.
    fn judge(&self, host: &impl Detached, name: &str, answer: Answer) -> Result<Seen, SourceError> {
        let told = match answer {
            Answer::Present(text) => return Ok(Seen::Present(text)),
            Answer::Absent(told) => told,
        };
        let (Some((Seen::Present(known) | Seen::Lost(known), _)), false) = (self.cache.last(name), name.is_empty())
        else {
            return Ok(Seen::Absent);
        };
        let is_lost = match (&known.version, told) {
            (Some(version), Some(told)) if version.epoch == told.epoch => match told.number.cmp(&version.number) {
                // A layer like this one has removed it since, and has counted that; unless all was lost in the middle of
                // the answer.
                Greater => self.commands.epoch(host)?.as_ref() != Some(&told.epoch),
                // It was written after this answer.
                Less => return Ok(Seen::Present(known)),
                // Removed by somebody who does not count: it alone, or all there was.
                Equal => self.commands.epoch(host)?.as_ref() != Some(&told.epoch) || !self.commands.has_globs(host)?,
            },
            (Some(_), _) => true,
            // Nobody counted: a hash that is gone as a whole was not emptied name by name.
            (None, told) => told.is_none() && !self.commands.has_globs(host)?,
        };
        Ok(if is_lost { Seen::Lost(known) } else { Seen::Absent })
    }

    fn reading(&self, seen: Seen, asked_at: Moment, bound: Duration) -> Reading {
        match seen {
            Seen::Present(text) => Reading { text: Some(text), asked_at, stale: None, bound },
            Seen::Absent => Reading { text: None, asked_at, stale: None, bound },
            Seen::Lost(text) => {
                let stale = format!(
                    "{} has lost it (flushed, or restarted without its data); the last value is kept until it is set again",
                    self.commands.endpoint
                );
                Reading { text: Some(text), asked_at, stale: Some(stale), bound }
            }
        }
    }

    fn last(&self, name: &str, error: SourceError) -> Result<Reading, SourceError> {
        let Some((seen, asked_at)) = self.cache.last(name) else { return Err(error) };
        let mut reading = self.reading(seen, asked_at, Duration::ZERO);
        reading.stale = Some(error.to_string());
        Ok(reading)
    }

    /// Sets a glob, for every process.
    ///
    /// # Errors
    /// [`SourceError`]; after `Unavailable` it is not known whether it was set.
    pub fn set(&self, host: &impl Detached, name: &str, text: &str) -> Result<(), SourceError> {
        self.require_name(name)?;
        let version = self.written(|| self.commands.write(host, name, text))?;
        self.note(name, Seen::Present(Text { text: text.into(), version }));
        Ok(())
    }

    /// Sets a glob unless it exists, and returns the text that it has now.
    ///
    /// # Errors
    /// As for [`RedisLayer::set`].
    pub fn set_default(&self, host: &impl Detached, name: &str, text: &str) -> Result<Arc<str>, SourceError> {
        self.require_name(name)?;
        match self.written(|| self.commands.write_if_absent(host, name, text))? {
            Answer::Present(winner) => {
                let text = Arc::clone(&winner.text);
                self.note(name, Seen::Present(winner));
                Ok(text)
            }
            Answer::Absent(_) => {
                Err(SourceError::Unavailable(format!("{} has glob {name:?} removed just now", self.commands.endpoint)))
            }
        }
    }

    /// Removes a glob, for every process.
    ///
    /// # Errors
    /// As for [`RedisLayer::set`].
    pub fn discard(&self, host: &impl Detached, name: &str) -> Result<(), SourceError> {
        self.require_name(name)?;
        self.written(|| self.commands.remove(host, name))?;
        self.note(name, Seen::Absent);
        Ok(())
    }

    /// The names of all globs: those that Redis has, and those that are kept for it.
    ///
    /// # Errors
    /// [`SourceError`] if Redis cannot tell.
    pub fn names(&self, host: &impl Detached) -> Result<Vec<Arc<str>>, SourceError> {
        self.require_up()?;
        let mut names: BTreeSet<Arc<str>> = self.commands.names(host)?.into_iter().collect();
        let lost = self.cache.all().into_iter().filter(|(_, seen)| matches!(seen, Seen::Lost(_)));
        names.extend(lost.map(|(name, _)| name));
        Ok(names.into_iter().collect())
    }

    /// Whether a glob was ever looked for here, so that what is known of it is known here.
    pub fn knows(&self, name: &str) -> bool {
        self.cache.last(name).is_some()
    }

    /// The globs that were seen last, with their texts.
    pub fn known(&self) -> Vec<(Arc<str>, Arc<str>)> {
        let text = |seen| match seen {
            Seen::Present(known) | Seen::Lost(known) => Some(known.text),
            Seen::Absent => None,
        };
        self.cache.all().into_iter().filter_map(|(name, seen)| Some((name, text(seen)?))).collect()
    }

    /// The empty name is where Redis keeps the epoch.
    fn require_name(&self, name: &str) -> Result<(), SourceError> {
        self.require_up()?;
        if name.is_empty() {
            return Err(SourceError::Refused("a glob without a name cannot be kept; name it".to_owned()));
        }
        Ok(())
    }

    /// Whatever comes of a write: what this process read before is out of date.
    fn written<T>(&self, write: impl FnOnce() -> Result<T, SourceError>) -> Result<T, SourceError> {
        let written = write();
        self.liveness.invalidate();
        written
    }

    fn note(&self, name: &str, seen: Seen) {
        self.provisional.lock().remove(name);
        if !seen.is_huge() {
            self.cache.note(&name.into(), seen, now());
        }
    }

    // ------------------------------------------------------------------ provisional defaults

    /// Notes that somebody runs on a default for this name.
    pub fn note_provisional(&self, name: &str) {
        self.provisional.lock().insert(name.into());
    }

    /// Whether somebody runs on a default for this name.
    pub fn is_provisional(&self, name: &str) -> bool {
        self.provisional.lock().contains(name)
    }

    /// The names that somebody ran on defaults for and that Redis can tell by now.
    pub fn take_settled(&self, host: &impl Detached) -> Vec<Arc<str>> {
        let waiting: Vec<Arc<str>> = self.provisional.lock().iter().map(Arc::clone).collect();
        let settled: Vec<_> = waiting
            .into_iter()
            .filter(|name| self.read(host, name).is_ok_and(|reading| reading.stale.is_none()))
            .collect();
        let mut provisional = self.provisional.lock();
        for name in &settled {
            provisional.remove(name);
        }
        settled
    }

    // ------------------------------------------------------------------ objects

    /// The JSON of an object.
    ///
    /// # Errors
    /// [`SourceError`]; objects are not cached here.
    pub fn object(&self, host: &impl Detached, id: &str) -> Result<Option<Arc<str>>, SourceError> {
        self.require_up()?;
        self.commands.object(host, id)
    }

    /// Whether there is an object.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn has_object(&self, host: &impl Detached, id: &str) -> Result<bool, SourceError> {
        self.require_up()?;
        self.commands.has_object(host, id)
    }

    /// Writes objects, all or none.
    ///
    /// # Errors
    /// As for [`RedisLayer::set`].
    pub fn set_objects(&self, host: &impl Detached, objects: &[(String, String)]) -> Result<(), SourceError> {
        self.require_up()?;
        self.commands.write_objects(host, objects)
    }

    /// Removes an object.
    ///
    /// # Errors
    /// As for [`RedisLayer::set`].
    pub fn discard_object(&self, host: &impl Detached, id: &str) -> Result<bool, SourceError> {
        self.require_up()?;
        self.commands.remove_object(host, id)
    }

    /// Removes what this layer writes, in Redis and of what is known here, and nothing of others.
    ///
    /// # Errors
    /// As for [`RedisLayer::set`].
    pub fn clear(&self, host: &impl Detached) -> Result<(), SourceError> {
        self.require_up()?;
        self.written(|| self.commands.clear(host))?;
        self.cache.clear();
        self.provisional.lock().clear();
        Ok(())
    }
}

impl Seen {
    /// Longer than any config may be: read each time, rather than kept here as well.
    fn is_huge(&self) -> bool {
        matches!(self, Self::Present(known) | Self::Lost(known) if known.text.len() > MAX_BYTES)
    }
}
