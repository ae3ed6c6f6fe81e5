//! What a forked child does before anything else.

use super::host::{self, PROCESS, SLOTS};
use super::{config, errors, service};
use crate::runtime::state::ServiceState;
use pyo3::prelude::*;

/// Makes what is made once, before anybody forks. PyO3 gives the interpreter away while it fills a cell
/// (`PyOnceLock`, what `intern!` and `import_exception!` are made of): a child that another thread forks in that moment
/// has a cell that is being filled for ever, and waits for it as long.
#[pyfunction]
pub fn prepare_for_forks(py: Python<'_>) -> PyResult<()> {
    host::prepare(py)?;
    config::prepare(py);
    errors::prepare(py);
    service::public_state(py, ServiceState::NotStarted).map(drop)
}

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
        let fork_safe = body
            .object(py)
            .is_none_or(|service| service.getattr("fork_safe").and_then(|safe| safe.is_truthy()).unwrap_or(false));
        body.forked(me, fork_safe);
    }
    Ok(())
}
