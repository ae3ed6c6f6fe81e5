//! The configuration chain below a hook's own memory: Redis where a process has one, and the process itself.
//!
//! Rules. Redis, once reached, is the truth; the process keeps only what Redis does not have to know, and what it
//! knew before it met Redis goes up to it, unless Redis has the name already. "Absent" and "cannot tell" are different
//! answers: nothing is made of the latter but the last value that was seen.

use super::clock::{Moment, now};
use super::memory::MemorySource;
use super::names::is_bootstrap;
use super::redis::layer::{self, RedisLayer};
use super::source::{SourceError, Version};
use crate::runtime::blocking::Detached;
use crate::runtime::sync::Arc;
use std::time::Duration;

/// Who has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// Redis.
    Redis,
    /// The process itself.
    Process,
}

/// What the chain says of a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Its text; `None`: no layer has one.
    pub text: Option<Arc<str>>,
    /// Which write it comes from, where that is counted.
    pub version: Option<Version>,
    /// Which layer has it.
    pub layer: Option<Layer>,
    /// When that layer was asked.
    pub asked_at: Moment,
    /// Why it may be out of date, if it may.
    pub stale: Option<String>,
    /// How old it may be at most; `None` while it is stale.
    pub bound: Option<Duration>,
}

impl Reading {
    fn of_process(text: Option<Arc<str>>) -> Self {
        let layer = text.is_some().then_some(Layer::Process);
        Self { text, version: None, layer, asked_at: now(), stale: None, bound: Some(Duration::ZERO) }
    }

    fn stale(text: Arc<str>, reason: String) -> Self {
        Self { stale: Some(reason), bound: None, ..Self::of_process(Some(text)) }
    }

    fn of_redis(reading: layer::Reading) -> Self {
        let bound = reading.stale.is_none().then_some(reading.bound);
        let layer = reading.text.is_some().then_some(Layer::Redis);
        let (text, version) = reading.text.map_or((None, None), |found| (Some(found.text), found.version));
        Self { text, version, layer, asked_at: reading.asked_at, stale: reading.stale, bound }
    }
}

/// The layers of one process, as one hook sees them.
#[derive(Clone, Copy)]
pub struct Chain<'a> {
    memory: &'a MemorySource,
    redis: Option<&'a RedisLayer>,
}

impl<'a> Chain<'a> {
    /// The layers together: the one place where their order is.
    pub fn compose(memory: &'a MemorySource, redis: Option<&'a RedisLayer>) -> Self {
        Self { memory, redis }
    }

    fn redis_for(&self, name: &str) -> Option<&'a RedisLayer> {
        self.redis.filter(|_| !is_bootstrap(name))
    }

    /// What the layers say of a name.
    ///
    /// # Errors
    /// [`SourceError`] if a layer that may have it cannot tell, and nothing was ever seen of it.
    pub fn read(&self, host: &impl Detached, name: &str) -> Result<Reading, SourceError> {
        let Some(redis) = self.redis_for(name) else { return Ok(Reading::of_process(self.memory.get(name))) };
        match redis.read(host, name) {
            Ok(reading) if reading.text.is_some() => {
                // Redis has taken it over: what the process keeps is out of date, or will be.
                self.memory.remove(name);
                Ok(Reading::of_redis(reading))
            }
            Ok(reading) => self.below(redis, host, name, reading),
            Err(error) => match self.memory.get(name) {
                Some(text) => Ok(Reading::stale(text, error.to_string())),
                None => Err(error),
            },
        }
    }

    /// What the process has of a name that Redis does not have.
    fn below(
        &self,
        redis: &RedisLayer,
        host: &impl Detached,
        name: &str,
        absent: layer::Reading,
    ) -> Result<Reading, SourceError> {
        let Some(text) = self.memory.get(name) else { return Ok(Reading::of_redis(absent)) };
        if let Some(reason) = absent.stale {
            return Ok(Reading::stale(text, reason));
        }
        if self.memory.own(name).is_none() {
            return Ok(Reading::stale(text, format!("{} does not have it", redis.endpoint())));
        }
        redis.set_default(host, name, &text)?;
        redis.read(host, name).map(|reading| {
            self.memory.remove(name);
            Reading::of_redis(reading)
        })
    }

    /// Sets a name, durably: in Redis if there is one, else for as long as the process lives.
    ///
    /// # Errors
    /// [`SourceError`]; after `Unavailable` it is not known whether it was set.
    pub fn set(&self, host: &impl Detached, name: &str, text: &str) -> Result<(), SourceError> {
        let Some(redis) = self.redis_for(name) else {
            self.memory.set(name.into(), text.into());
            return Ok(());
        };
        redis.set(host, name, text)?;
        self.memory.remove(name);
        Ok(())
    }

    /// Sets a name unless a layer has it, and returns the text that it has now.
    ///
    /// # Errors
    /// As for [`Chain::set`].
    pub fn set_default(&self, host: &impl Detached, name: &str, text: &str) -> Result<Arc<str>, SourceError> {
        let Some(redis) = self.redis_for(name) else { return Ok(self.memory.set_if_absent(name.into(), text.into())) };
        let winner = redis.set_default(host, name, text)?;
        self.memory.remove(name);
        Ok(winner)
    }

    /// Removes a name from every layer.
    ///
    /// # Errors
    /// As for [`Chain::set`].
    pub fn discard(&self, host: &impl Detached, name: &str) -> Result<(), SourceError> {
        if let Some(redis) = self.redis_for(name) {
            redis.discard(host, name)?;
        }
        self.memory.remove(name);
        Ok(())
    }

    /// All names, sorted; those that were seen last, while Redis cannot tell.
    ///
    /// # Errors
    /// [`SourceError`] if Redis refuses to tell.
    pub fn names(&self, host: &impl Detached) -> Result<Vec<Arc<str>>, SourceError> {
        let mut names = self.memory.names();
        if let Some(redis) = self.redis {
            match redis.names(host) {
                Ok(found) => names.extend(found),
                Err(SourceError::Unavailable(_)) => names.extend(redis.known().into_iter().map(|(name, _)| name)),
                Err(refused) => return Err(refused),
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The first meeting with Redis: what the process kept for itself goes up, unless Redis has it. Returns the names
    /// of which Redis says something else than the process did.
    ///
    /// # Errors
    /// [`SourceError`]; what went up by then stays there.
    pub fn meet_redis(&self, host: &impl Detached) -> Result<Vec<Arc<str>>, SourceError> {
        let mut superseded = Vec::new();
        for name in self.memory.names() {
            let Some(redis) = self.redis_for(&name) else { continue };
            let Some(text) = self.memory.own(&name) else {
                // What was borrowed from here, this knows better: perhaps it was deleted meanwhile.
                if redis.knows(&name) {
                    self.memory.remove(&name);
                }
                continue;
            };
            if redis.set_default(host, &name, &text)? != text {
                superseded.push(Arc::clone(&name));
            }
            self.memory.remove(&name);
        }
        Ok(superseded)
    }

    /// Redis leaves the chain: the process keeps what was seen of it, so that no value becomes a default.
    pub fn part_from_redis(&self) {
        for (name, text) in self.redis.map(RedisLayer::known).unwrap_or_default() {
            self.memory.borrow(name, text);
        }
    }
}
