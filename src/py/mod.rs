//! The extension module `jaseci.svc._core`: extract, detach, call, wrap. Decisions are made in [`crate::runtime`].

mod building;
mod chain;
mod config;
mod daemons;
mod errors;
mod events;
mod fast;
mod fork;
mod host;
mod manifest;
mod meta;
mod service;
mod supervision;

/// Bindings of the core. Private: the public classes are in `jaseci.svc`.
#[pyo3::pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::building::{note_glob, serve_settings};
    #[pymodule_export]
    use super::chain::{Chain, RedisLayer, check_endpoint, forget_layers};
    #[pymodule_export]
    use super::config::{
        copied, forget_secrets, is_bootstrap_name, is_secret_key, is_setting_name, learn_secrets, load_settings, mask,
        settings_clear,
    };
    #[pymodule_export]
    use super::daemons::{Daemon, DaemonInfo, StopSignal};
    #[pymodule_export]
    use super::events::{Event, EventReader};
    #[pymodule_export]
    use super::fast::{accelerate, quicken};
    #[pymodule_export]
    use super::fork::{after_fork_in_child, prepare_for_forks};
    #[pymodule_export]
    use super::manifest::load_documents;
    #[pymodule_export]
    use super::meta::{
        ApplicationContext, Construction, MetaCore, close_roster, is_closed, open_roster, pop_last_started,
    };
    #[pymodule_export]
    use super::service::{ServiceCore, Ticket, mark_failed};
    #[pymodule_export]
    use super::supervision::{
        Policy, SupervisorCore, Task, ailment_of, beat, check_graph, clock_is_manual, clock_now, counts_of, health_of,
        set_clock,
    };

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::fast::install(module.py())?;
        module.add("building", super::building::BUILDING.variable(module.py())?)?;
        module.add("PROCESS_CHAIN", super::chain::Chain::of_process())?;
        module.add("VERSION", env!("CARGO_PKG_VERSION"))?;
        module.add("MAX_CONFIG_BYTES", crate::runtime::config::text::MAX_BYTES)?;
        module.add("MAX_CONFIG_DEPTH", crate::runtime::config::text::MAX_DEPTH)?;
        module.add("KEPT_EVENTS", crate::runtime::events::KEPT_EVENTS)
    }
}
