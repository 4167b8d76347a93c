//! Work that no request asks for.

pub mod background;
mod due;
mod sweeps;
mod turns;

pub use background::Work;
