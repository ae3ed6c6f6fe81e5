//! jaseci-svc: a service runtime for Python applications.
//!
//! [`runtime`] is the core: life cycle, daemons, registry, configuration. It knows nothing of Python and builds
//! without it (`--no-default-features`). `py` binds it to the extension module `jaseci.svc._core`.

pub mod runtime;

#[cfg(feature = "python")]
mod py;
