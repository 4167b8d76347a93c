//! Hubs against a log in memory, and over real servers.

#[cfg(test)]
mod support;

#[cfg(test)]
mod bulletins;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod control;
#[cfg(test)]
mod epochs;
#[cfg(test)]
mod erasures;
#[cfg(all(test, feature = "faults"))]
mod faults;
#[cfg(test)]
mod gaps;
#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod local_bus;
#[cfg(test)]
mod own;
#[cfg(test)]
mod postgres_bus;
#[cfg(test)]
mod redis_bus;
#[cfg(test)]
mod redis_faults;
#[cfg(test)]
mod resume;
#[cfg(test)]
mod rooms;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod shards;
#[cfg(test)]
mod tls;
