//! What `deploy/` and `scripts/` give to operators, tried out.

mod balancer;
mod fleet;
mod monitoring;
mod restoring;
