//! The configuration chain and its Redis, as Python sees them.

use super::daemons::StopSignal;
use super::errors::{self, ConfigError};
use super::host::{SETTINGS, Wait, masked};
use crate::runtime::blocking::{Blocking, Detached};
use crate::runtime::config::chain::{self, Layer, Reading};
use crate::runtime::config::clock::now;
use crate::runtime::config::redis::endpoint::{self, Endpoint};
use crate::runtime::config::redis::layer;
use crate::runtime::config::redis::link::Mode;
use crate::runtime::config::source::SourceError;
use crate::runtime::sync::{Arc, Mutex, Signal};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::time::Duration;

/// Every Redis that this process has a layer for: a service that is reset finds what it knew.
static LAYERS: Mutex<Vec<Arc<layer::RedisLayer>>> = Mutex::new(Vec::new());

/// How long to wait, in seconds, before looking again at a layer that somebody has closed or is about to open.
const WHILE_CLOSED: f64 = 0.1;

/// The interpreter, given away while something takes long.
struct Host<'py>(Python<'py>);

impl Detached for Host<'_> {
    fn detached<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.0.detach(work)
    }
}

fn answered<T>(result: Result<T, SourceError>) -> PyResult<T> {
    result.map_err(|error| errors::source(&error))
}

fn texts(names: &[Arc<str>]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Names and texts below a hook's memory: those of the process and, as a layer's chain, those of its Redis.
#[pyclass(module = "jaseci.svc._core", frozen)]
pub struct Chain {
    redis: Option<Arc<layer::RedisLayer>>,
}

impl Chain {
    /// That of the process itself.
    pub fn of_process() -> Self {
        Self { redis: None }
    }

    fn composed(&self) -> chain::Chain<'_> {
        chain::Chain::compose(&SETTINGS, self.redis.as_deref())
    }
}

/// What the chain says of a name: text, number of the write, layer, age in seconds, why it may be out of date, bound in
/// seconds, and whether somebody runs on a default for it.
type Told = (Option<String>, Option<u64>, Option<&'static str>, f64, Option<String>, Option<f64>, bool);

#[pymethods]
impl Chain {
    /// The text of a name, or None. Raises `SourceUnavailable` or `SourceRefused` if nobody can tell.
    fn get(&self, py: Python<'_>, name: &str) -> PyResult<Option<String>> {
        let reading = answered(self.composed().read(&Host(py), name))?;
        Ok(reading.text.map(|text| text.to_string()))
    }

    /// As `get`, with all that is known about it.
    fn explain(&self, py: Python<'_>, name: &str) -> PyResult<Told> {
        let reading = answered(self.composed().read(&Host(py), name))?;
        Ok(told(reading, self.is_provisional(name)))
    }

    /// Sets a name, durably.
    fn set(&self, py: Python<'_>, name: &str, text: &str) -> PyResult<()> {
        answered(self.composed().set(&Host(py), name, text))
    }

    /// Sets a name unless a layer has it, and returns the text that it has now.
    fn set_default(&self, py: Python<'_>, name: &str, text: &str) -> PyResult<String> {
        Ok(answered(self.composed().set_default(&Host(py), name, text))?.to_string())
    }

    /// Removes a name from every layer.
    fn discard(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        answered(self.composed().discard(&Host(py), name))
    }

    /// All names, sorted.
    fn names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(texts(&answered(self.composed().names(&Host(py)))?))
    }

    /// Whether somebody runs on a default for this name, because nothing is known of it.
    fn is_provisional(&self, name: &str) -> bool {
        self.redis.as_ref().is_some_and(|redis| redis.is_provisional(name))
    }

    /// Notes that somebody runs on a default, because nothing is known of the name.
    fn note_provisional(&self, name: &str) {
        if let Some(redis) = &self.redis {
            redis.note_provisional(name);
        }
    }
}

fn told(reading: Reading, provisional: bool) -> Told {
    let layer = reading.layer.map(|layer| match layer {
        Layer::Redis => "redis",
        Layer::Process => "process",
    });
    let age = Duration::from_micros(now().saturating_sub(reading.asked_at)).as_secs_f64();
    let bound = reading.bound.map(|bound| bound.as_secs_f64());
    let stale = reading.stale.map(|reason| masked(&reason));
    let number = reading.version.map(|version| version.number);
    (reading.text.map(|text| text.to_string()), number, layer, age, stale, bound, provisional)
}

/// A Redis as a layer. Lives as long as the process, once it was asked for.
#[pyclass(module = "jaseci.svc._core", frozen)]
pub struct RedisLayer(Arc<layer::RedisLayer>);

#[pymethods]
impl RedisLayer {
    /// The layer over the Redis that a config names: the same one for the same place. Raises `ConfigError`.
    #[staticmethod]
    fn of(config: &Bound<'_, PyDict>) -> PyResult<Self> {
        let endpoint = endpoint_of(config)?;
        let mut layers = LAYERS.lock();
        if let Some(known) = layers.iter().find(|layer| *layer.endpoint() == endpoint) {
            return Ok(Self(Arc::clone(known)));
        }
        let layer = Arc::new(layer::RedisLayer::new(endpoint));
        layers.push(Arc::clone(&layer));
        Ok(Self(layer))
    }

    /// Where it is, for messages: without user and password.
    fn __str__(&self) -> String {
        self.0.endpoint().to_string()
    }

    /// Whether this process has ever reached it.
    #[getter]
    fn was_contacted(&self) -> bool {
        self.0.was_contacted()
    }

    /// The chain that it is a layer of.
    #[getter]
    fn chain(&self) -> Chain {
        Chain { redis: Some(Arc::clone(&self.0)) }
    }

    /// Connects, and follows from then on. Raises `SourceUnavailable` or `SourceRefused`; what cannot be reached now comes
    /// up by itself.
    fn open(&self, py: Python<'_>) -> PyResult<()> {
        answered(self.0.open(&Host(py)))
    }

    /// Whether it can be used now, by whoever has seen it come up. Raises as `open` does.
    fn greet(&self, py: Python<'_>) -> PyResult<()> {
        answered(self.0.greet(&Host(py)))
    }

    /// Gives up one `open()`. With the last one the connections end, it leaves the chain, and the process keeps what was
    /// seen.
    fn close(&self, py: Python<'_>) {
        if self.0.close(&Host(py)) {
            chain::Chain::compose(&SETTINGS, Some(&self.0)).part_from_redis();
        }
    }

    /// The number of the last change of mode, the mode ("tracking", "pass-through", "down", "closed") and its reason.
    fn status(&self) -> (u64, &'static str, Option<String>) {
        match self.0.status() {
            None => (0, "closed", None),
            Some(status) => match status.mode {
                Mode::Tracking => (status.number, "tracking", None),
                Mode::PassThrough(reason) => (status.number, "pass-through", Some(masked(&reason))),
                Mode::Down(error) => (status.number, "down", Some(masked(&error.to_string()))),
            },
        }
    }

    /// Waits until the mode is another one than with this number, or until `stop` is requested.
    fn wait_change(&self, py: Python<'_>, number: u64, stop: &StopSignal) -> PyResult<()> {
        let either = Arc::new(Signal::new());
        let patience = match self.0.status() {
            Some(status) if status.number == number => {
                status.next.let_follow(&either);
                None
            }
            Some(_) => return Ok(()),
            None => Some(WHILE_CLOSED),
        };
        stop.let_follow(&either);
        Wait::new(py, patience).wait(&either).map(drop)
    }

    /// The first meeting: what the process kept for itself goes up, unless Redis has it. Returns the names of which
    /// Redis says something else.
    fn meet(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(texts(&answered(chain::Chain::compose(&SETTINGS, Some(&self.0)).meet_redis(&Host(py)))?))
    }

    /// The names that somebody ran on defaults for and that Redis can tell by now; each is returned once.
    fn take_settled(&self, py: Python<'_>) -> Vec<String> {
        texts(&self.0.take_settled(&Host(py)))
    }

    /// The JSON of an object, or None.
    fn object(&self, py: Python<'_>, id: &str) -> PyResult<Option<String>> {
        Ok(answered(self.0.object(&Host(py), id))?.map(|json| json.to_string()))
    }

    /// Whether there is an object of this id.
    fn has_object(&self, py: Python<'_>, id: &str) -> PyResult<bool> {
        answered(self.0.has_object(&Host(py), id))
    }

    /// Writes objects, pairs of id and JSON, all or none.
    fn set_objects(&self, py: Python<'_>, objects: Vec<(String, String)>) -> PyResult<()> {
        answered(self.0.set_objects(&Host(py), &objects))
    }

    /// Removes an object; says whether there was one.
    fn discard_object(&self, py: Python<'_>, id: &str) -> PyResult<bool> {
        answered(self.0.discard_object(&Host(py), id))
    }

    /// Removes what this layer writes, and nothing of others.
    fn clear(&self, py: Python<'_>) -> PyResult<()> {
        answered(self.0.clear(&Host(py)))
    }
}

fn endpoint_of(config: &Bound<'_, PyDict>) -> PyResult<Endpoint> {
    let mut keys = serde_json::Map::new();
    for key in endpoint::KEYS {
        if let Some(value) = config.get_item(key)? {
            let value = pythonize::depythonize(&value)
                .map_err(|_| ConfigError::new_err(format!("{key:?} must be what JSON can say")))?;
            keys.insert(key.to_owned(), value);
        }
    }
    Endpoint::from_config(&keys).map_err(|error| ConfigError::new_err(error.to_string()))
}

/// Raises `ConfigError` for a config that does not say where a Redis is.
#[pyfunction]
pub fn check_endpoint(config: &Bound<'_, PyDict>) -> PyResult<()> {
    endpoint_of(config).map(drop)
}

/// In a forked child: no connection of the parent's is used.
pub fn after_fork() {
    for layer in LAYERS.lock().iter() {
        layer.forked();
    }
}

/// Forgets every layer and what was seen through it; for tests that begin afresh.
#[pyfunction]
pub fn forget_layers(py: Python<'_>) {
    let layers = std::mem::take(&mut *LAYERS.lock());
    for layer in &layers {
        layer.disconnect(&Host(py));
    }
}
