//! What a forked child does before anything else.

use super::host::{self, PROCESS, SLOTS};
use pyo3::intern;
use pyo3::prelude::*;

/// Registered with `os.register_at_fork`: only the forking thread lives on, so what the others held is free, what
/// they waited for is forgotten, and what does not survive a fork is `NOT_STARTED`. Runs attached, and every lock of
/// the core is only taken attached: none was copied locked.
#[pyfunction]
pub fn after_fork_in_child(py: Python<'_>) -> PyResult<()> {
    let me = host::ident(py)?;
    PROCESS.keep_only(me);
    SLOTS.keep_only(me);
    super::chain::after_fork();
    for body in PROCESS.roster.members().iter().filter_map(std::sync::Weak::upgrade) {
        let fork_safe = body.object(py).is_none_or(|service| {
            service.getattr(intern!(py, "fork_safe")).and_then(|safe| safe.is_truthy()).unwrap_or(false)
        });
        body.forked(me, fork_safe);
    }
    Ok(())
}
