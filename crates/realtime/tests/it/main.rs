//! Hubs against a log in memory, and against a real Redis.

#[cfg(test)]
mod support;

#[cfg(test)]
mod bulletins;
#[cfg(test)]
mod control;
#[cfg(test)]
mod epochs;
#[cfg(test)]
mod gaps;
#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod local_bus;
#[cfg(test)]
mod redis_bus;
#[cfg(test)]
mod resume;
#[cfg(test)]
mod rooms;
#[cfg(test)]
mod sessions;
