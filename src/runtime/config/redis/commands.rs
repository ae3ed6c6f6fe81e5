//! What is said to a Redis: globs in one hash, objects as strings, and how often each glob was written.
//!
//! The layout is public interface: the hash `global` holds name and text of each glob, a string `<jid>` an object's JSON.
//! Beside the first lies a hash of our own, `{global}:versions` (in a cluster the braces put it on the same node): name
//! and number of writes, and under the empty name the epoch, a random text. So a text that was deleted can be told
//! from one that was lost: a flush takes the epoch along.

use super::endpoint::Endpoint;
use super::exchange::{pipelined, transaction};
use super::pool::{Pool, Repeat};
use super::wire::Connection;
use crate::runtime::blocking::Detached;
use crate::runtime::config::source::{Answer, SourceError, Text, Version};
use crate::runtime::sync::{Arc, AtomicBool, Ordering};
use redis::{Cmd, RedisResult, Value, cmd, from_redis_value};
use std::hash::{BuildHasher, RandomState};

/// The hash of globs. What tracks changes of it tracks keys that begin so.
pub const GLOBS: &str = "global";
const VERSIONS: &str = "{global}:versions";
const EPOCH: &str = "";
/// How the id of an object begins.
const OBJECTS: &str = "urn:uuid:";
/// `urn:uuid:` and a UUID.
const OBJECT_KEY_LENGTH: usize = 45;
const SCAN_STEP: usize = 1_000;

/// What can be said to one Redis. Lives as long as the layer.
pub struct Commands {
    /// Where it is.
    pub endpoint: Endpoint,
    /// The connections.
    pub pool: Arc<Pool>,
    /// Whether it lets us count writes; a strict ACL does not.
    counts: AtomicBool,
}

impl Commands {
    /// For the Redis at `endpoint`, without a connection so far.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, pool: Arc::new(Pool::default()), counts: AtomicBool::new(true) }
    }

    fn run<T: Send>(
        &self,
        host: &impl Detached,
        repeat: Repeat,
        command: impl Fn(&mut Connection) -> RedisResult<T> + Send + Sync,
    ) -> Result<T, SourceError> {
        self.pool.run(&self.endpoint, host, repeat, command)
    }

    fn counts(&self) -> bool {
        self.counts.load(Ordering::Acquire)
    }

    /// Asks whether it answers, and whether it lets us count writes.
    ///
    /// # Errors
    /// [`SourceError`], here and below: the server, the reason, and what to do.
    pub fn greet(&self, host: &impl Detached) -> Result<(), SourceError> {
        self.run(host, Repeat::Harmless, |connection| {
            cmd("PING").exec(connection)?;
            let counted: RedisResult<Value> = cmd("HGET").arg(VERSIONS).arg(EPOCH).query(connection);
            match counted {
                Err(error) if error.code().is_none() => return Err(error),
                counted => self.counts.store(counted.is_ok(), Ordering::Release),
            }
            Ok(())
        })
    }

    // ------------------------------------------------------------------ globs

    /// The text of a glob.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn read(&self, host: &impl Detached, name: &str) -> Result<Answer, SourceError> {
        let mut commands = vec![cmd("HGET").arg(GLOBS).arg(name).take()];
        if self.counts() {
            // First: at worst the version is that of an earlier text, never of a later one.
            commands.insert(0, cmd("HMGET").arg(VERSIONS).arg(EPOCH).arg(name).take());
        }
        let (text, version) = self.run(host, Repeat::Harmless, |connection| {
            let mut answers = pipelined(connection, &commands)?;
            let text: Option<Vec<u8>> = from_redis_value(answers.pop().unwrap_or(Value::Nil))?;
            let version: Option<(Option<String>, Option<u64>)> = answers.pop().map(from_redis_value).transpose()?;
            Ok((text, version))
        })?;
        let (epoch, number) = version.unwrap_or_default();
        let epoch: Option<Arc<str>> = epoch.map(Into::into);
        // What somebody else wrote was never counted.
        let number = number.unwrap_or(0);
        let version = epoch.map(|epoch| Version { epoch, number });
        match text {
            None => Ok(Answer::Absent(version)),
            Some(bytes) => Ok(Answer::Present(Text { text: self.decoded(name, bytes)?, version })),
        }
    }

    fn decoded(&self, name: &str, bytes: Vec<u8>) -> Result<Arc<str>, SourceError> {
        String::from_utf8(bytes).map(Into::into).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            SourceError::Refused(format!(
                "glob {name:?} of {} is not UTF-8 at byte {at}; write it again, or remove it",
                self.endpoint
            ))
        })
    }

    /// The text of a glob, and nothing else: a fifth faster.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn read_text(&self, host: &impl Detached, name: &str) -> Result<Option<Arc<str>>, SourceError> {
        let bytes: Option<Vec<u8>> =
            self.run(host, Repeat::Harmless, |connection| cmd("HGET").arg(GLOBS).arg(name).query(connection))?;
        bytes.map(|bytes| self.decoded(name, bytes)).transpose()
    }

    /// Whether there is any glob at all.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn has_globs(&self, host: &impl Detached) -> Result<bool, SourceError> {
        self.run(host, Repeat::Harmless, |connection| cmd("EXISTS").arg(GLOBS).query(connection))
    }

    /// The epoch of its contents; `None` if it counts none.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn epoch(&self, host: &impl Detached) -> Result<Option<Arc<str>>, SourceError> {
        let epoch: Option<String> =
            self.run(host, Repeat::Harmless, |connection| cmd("HGET").arg(VERSIONS).arg(EPOCH).query(connection))?;
        Ok(epoch.map(Into::into))
    }

    /// Writes a glob.
    ///
    /// # Errors
    /// [`SourceError`]; after `Unavailable` it is not known whether the text was written.
    pub fn write(&self, host: &impl Detached, name: &str, text: &str) -> Result<Option<Version>, SourceError> {
        self.change(host, name, Some(cmd("HSET").arg(GLOBS).arg(name).arg(text).take()))
    }

    /// Writes a glob unless there is one, and returns the text that it has now.
    ///
    /// # Errors
    /// As for [`Commands::write`].
    pub fn write_if_absent(&self, host: &impl Detached, name: &str, text: &str) -> Result<Answer, SourceError> {
        let created = self.run(host, Repeat::Harmless, |connection| {
            cmd("HSETNX").arg(GLOBS).arg(name).arg(text).query::<bool>(connection)
        })?;
        if created && self.counts() {
            // Nothing of the text: this only counts.
            self.change(host, name, None)?;
        }
        self.read(host, name)
    }

    /// Removes a glob; returns the epoch in which it did.
    ///
    /// # Errors
    /// As for [`Commands::write`].
    pub fn remove(&self, host: &impl Detached, name: &str) -> Result<Option<Arc<str>>, SourceError> {
        let version = self.change(host, name, Some(cmd("HDEL").arg(GLOBS).arg(name).take()))?;
        Ok(version.map(|version| version.epoch))
    }

    /// A change of a glob and of its count, in one step. The name is never empty: that would be the epoch's.
    fn change(&self, host: &impl Detached, name: &str, change: Option<Cmd>) -> Result<Option<Version>, SourceError> {
        let counts = self.counts();
        let mut commands: Vec<Cmd> = change.into_iter().collect();
        if counts {
            let epoch = format!("{:016x}", RandomState::new().hash_one(name));
            commands.push(cmd("HSETNX").arg(VERSIONS).arg(EPOCH).arg(epoch).take());
            commands.push(cmd("HINCRBY").arg(VERSIONS).arg(name).arg(1).take());
            commands.push(cmd("HGET").arg(VERSIONS).arg(EPOCH).take());
        }
        self.run(host, Repeat::Harmful, |connection| {
            let mut answers = transaction(connection, commands.clone())?;
            if !counts {
                return Ok(None);
            }
            let epoch: String = from_redis_value(answers.pop().unwrap_or(Value::Nil))?;
            let number = from_redis_value(answers.pop().unwrap_or(Value::Nil))?;
            Ok(Some(Version { epoch: epoch.into(), number }))
        })
    }

    /// The names of all globs.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn names(&self, host: &impl Detached) -> Result<Vec<Arc<str>>, SourceError> {
        let names: Vec<Vec<u8>> =
            self.run(host, Repeat::Harmless, |connection| cmd("HKEYS").arg(GLOBS).query(connection))?;
        Ok(names.into_iter().map(|name| String::from_utf8_lossy(&name).into()).collect())
    }

    // ------------------------------------------------------------------ objects

    /// The JSON of an object.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn object(&self, host: &impl Detached, id: &str) -> Result<Option<Arc<str>>, SourceError> {
        let bytes: Option<Vec<u8>> =
            self.run(host, Repeat::Harmless, |connection| cmd("GET").arg(id).query(connection))?;
        bytes.map(|bytes| self.decoded(id, bytes)).transpose()
    }

    /// Whether there is an object.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn has_object(&self, host: &impl Detached, id: &str) -> Result<bool, SourceError> {
        self.run(host, Repeat::Harmless, |connection| cmd("EXISTS").arg(id).query(connection))
    }

    /// Writes objects, all or none.
    ///
    /// # Errors
    /// As for [`Commands::write`].
    pub fn write_objects(&self, host: &impl Detached, objects: &[(String, String)]) -> Result<(), SourceError> {
        if objects.is_empty() {
            return Ok(());
        }
        let commands: Vec<Cmd> = objects.iter().map(|(id, json)| cmd("SET").arg(id).arg(json).take()).collect();
        self.run(host, Repeat::Harmful, |connection| transaction(connection, commands.clone()).map(drop))
    }

    /// Removes an object; says whether there was one.
    ///
    /// # Errors
    /// As for [`Commands::write`].
    pub fn remove_object(&self, host: &impl Detached, id: &str) -> Result<bool, SourceError> {
        self.run(host, Repeat::Harmless, |connection| cmd("DEL").arg(id).query(connection))
    }

    // ------------------------------------------------------------------ all of it

    /// Removes what this layer writes, and nothing of others: the globs, their counts, and every key that is called
    /// like an object.
    ///
    /// # Errors
    /// [`SourceError`]; what is removed by then stays removed.
    pub fn clear(&self, host: &impl Detached) -> Result<(), SourceError> {
        let counts = self.counts();
        self.run(host, Repeat::Harmless, |connection| {
            // A key of another type is somebody else's, and makes this fail.
            cmd("HLEN").arg(GLOBS).exec(connection)?;
            let mut doomed = cmd("DEL");
            doomed.arg(GLOBS);
            if counts {
                doomed.arg(VERSIONS);
            }
            doomed.exec(connection)?;
            let mut cursor = 0_u64;
            loop {
                let pattern = format!("{OBJECTS}*");
                let mut scan = cmd("SCAN");
                scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(SCAN_STEP);
                let (next, keys): (u64, Vec<Vec<u8>>) = scan.query(connection)?;
                let objects: Vec<_> = keys.into_iter().filter(|key| key.len() == OBJECT_KEY_LENGTH).collect();
                if !objects.is_empty() {
                    cmd("DEL").arg(objects).exec(connection)?;
                }
                cursor = next;
                if cursor == 0 {
                    return Ok(());
                }
            }
        })
    }
}
