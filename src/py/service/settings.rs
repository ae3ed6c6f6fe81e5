//! What a config says about a service: its flags, and the dict that is the service's own.

use crate::py::config;
use crate::py::errors::ConfigError;
use crate::runtime::config::flags::{self, Raw};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// What a config says: a dict of the service's own, and the flags that it has lost.
pub struct Settings<'py> {
    pub own: Bound<'py, PyDict>,
    pub enabled: bool,
    pub quiet: bool,
}

/// Takes a config apart.
pub fn settings_of<'py>(config: &Bound<'py, PyAny>) -> PyResult<Settings<'py>> {
    // What is as it was served needs no second look.
    if let Some((own, [enabled, quiet])) = config::as_served(config)? {
        return Ok(Settings { own, enabled, quiet });
    }
    config::learn(config)?;
    let Ok(own) = config::copied(config)?.cast_into::<PyDict>() else {
        let kind = config.get_type().name()?;
        return Err(ConfigError::new_err(format!("build_config returned {kind}, not a dict")));
    };
    let enabled = pop_flag(&own, "enabled")?;
    let quiet = pop_flag(&own, "quiet")?;
    Ok(Settings { own, enabled, quiet })
}

/// Reads a flag out of a config, which loses it.
pub fn pop_flag(config: &Bound<'_, PyDict>, flag: &'static str) -> PyResult<bool> {
    let Some(value) = config.get_item(flag)? else { return Ok(false) };
    config.del_item(flag)?;
    let read = if let Ok(value) = value.extract::<bool>() {
        flags::read(flag, Raw::Bool(value))
    } else if let Ok(text) = value.cast::<PyString>() {
        flags::read(flag, Raw::Text(&text.to_string_lossy()))
    } else {
        flags::read(flag, Raw::Other(&value.get_type().name()?.to_string()))
    };
    read.map_err(|error| ConfigError::new_err(error.to_string()))
}
