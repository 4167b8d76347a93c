//! What is known of the moment, beside the log.

pub mod presence;
