//! Redis as a layer of the configuration chain, shared by all processes that use it.

pub mod commands;
pub mod endpoint;
pub mod exchange;
pub mod failure;
pub mod layer;
pub mod link;
pub mod pool;
pub mod tls;
pub mod wire;
