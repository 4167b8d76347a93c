//! What processes cost: processor time and memory, as Linux tells it.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;

use super::worker::Worker;

/// Descriptors that a process needs for itself.
const OWN_DESCRIPTORS: u64 = 200;

/// Processes of which the cost is told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Processes(Vec<Process>);

#[derive(Clone, Debug)]
struct Process {
    name: String,
    pid: u32,
    /// With all that it started: PostgreSQL has a process for each connection.
    with_children: bool,
}

/// What they cost until now, one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Readings(Vec<Reading>);

#[derive(Clone, Copy, Debug, Default)]
struct Reading {
    cpu: Duration,
    memory: Memory,
}

/// Memory in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Memory {
    /// Resident.
    rss: u64,
    /// Resident and of no file: what the program has asked for.
    anonymous: u64,
}

/// What a process cost between two readings.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Cost {
    pub(crate) name: String,
    pub(crate) pid: u32,
    /// Processor time, in user and in system mode.
    pub(crate) cpu_seconds: f64,
    /// Resident memory in bytes.
    pub(crate) rss_before: u64,
    pub(crate) rss_after: u64,
    /// The part of it that is of no file.
    pub(crate) anonymous_before: u64,
    pub(crate) anonymous_after: u64,
}

impl Processes {
    /// The servers: those of the given ids, or those that listen where the workers are.
    ///
    /// # Errors
    /// When there is no such process.
    pub(crate) fn servers(workers: &[Worker], pids: &[u32]) -> anyhow::Result<Self> {
        let mut found: BTreeSet<u32> = pids.iter().copied().collect();
        if found.is_empty() {
            for worker in workers.iter().filter(|one| one.address.ip().is_loopback()) {
                found.extend(listeners(worker.address.port()));
            }
        }
        let processes = found.into_iter().map(|pid| {
            let name = fs::read_to_string(format!("/proc/{pid}/comm"))
                .with_context(|| format!("there is no process {pid}"))?;
            Ok(Process {
                name: name.trim().to_owned(),
                pid,
                with_children: false,
            })
        });
        Ok(Self(processes.collect::<anyhow::Result<_>>()?))
    }

    /// Others, as `name=pid`, each with all that it started.
    ///
    /// # Errors
    /// When a word is not of this form.
    pub(crate) fn others(words: &[String]) -> anyhow::Result<Self> {
        let processes = words.iter().map(|word| {
            let (name, pid) = word.split_once('=').context("name=pid is wanted")?;
            Ok(Process {
                name: name.to_owned(),
                pid: pid
                    .parse()
                    .with_context(|| format!("{pid} is no process id"))?,
                with_children: true,
            })
        });
        Ok(Self(processes.collect::<anyhow::Result<_>>()?))
    }

    /// What they cost until now. A process that is gone costs nothing more.
    pub(crate) fn read(&self) -> Readings {
        let readings = self.0.iter().map(|process| {
            let cpu = if process.with_children {
                cpu_of_family(process.pid)
            } else {
                cpu_of(process.pid).map(|cpu| cpu.own)
            };
            Reading {
                cpu: cpu.unwrap_or_default(),
                memory: memory_of(process.pid).unwrap_or_default(),
            }
        });
        Readings(readings.collect())
    }

    /// What they cost between two readings.
    pub(crate) fn cost(&self, before: &Readings, after: &Readings) -> Vec<Cost> {
        let readings = before.0.iter().zip(&after.0);
        let costs = self
            .0
            .iter()
            .zip(readings)
            .map(|(process, (before, after))| Cost {
                name: process.name.clone(),
                pid: process.pid,
                cpu_seconds: after.cpu.saturating_sub(before.cpu).as_secs_f64(),
                rss_before: before.memory.rss,
                rss_after: after.memory.rss,
                anonymous_before: before.memory.anonymous,
                anonymous_after: after.memory.anonymous,
            });
        costs.collect()
    }
}

impl Readings {
    /// Resident memory of all, in bytes.
    pub(crate) fn rss(&self) -> u64 {
        self.0.iter().map(|reading| reading.memory.rss).sum()
    }

    /// The part of it that is of no file.
    pub(crate) fn anonymous(&self) -> u64 {
        self.0.iter().map(|reading| reading.memory.anonymous).sum()
    }
}

/// Processor time of this process.
pub(crate) fn own_cpu() -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").context("this process' own times")?;
    Ok(read_stat(&stat).context("this process' own times")?.own)
}

/// Raises the limit of descriptors as far as it goes, and says how many connections that allows.
pub(crate) fn connections_allowed() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let connections = current.map(|all| all.saturating_sub(OWN_DESCRIPTORS).max(1));
    connections.map_or(usize::MAX, |all| usize::try_from(all).unwrap_or(usize::MAX))
}

struct Cpu {
    parent: u32,
    own: Duration,
    /// Of children that have ended.
    ended: Duration,
}

fn cpu_of(pid: u32) -> Option<Cpu> {
    read_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn read_stat(stat: &str) -> Option<Cpu> {
    // The second field is a name in parentheses, with whatever is in it.
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let time = |index: usize| Some(Duration::from_millis(number(index)? * 1000 / per_second));
    Some(Cpu {
        parent: u32::try_from(number(1)?).ok()?,
        own: time(11)? + time(12)?,
        ended: time(13)? + time(14)?,
    })
}

fn cpu_of_family(root: u32) -> Option<Duration> {
    cpu_of(root)?;
    let all: HashMap<u32, Cpu> = pids().filter_map(|pid| Some((pid, cpu_of(pid)?))).collect();
    let is_family = |pid: &u32| {
        let mut pid = *pid;
        loop {
            if pid == root {
                return true;
            }
            match all.get(&pid) {
                Some(cpu) if cpu.parent != pid => pid = cpu.parent,
                _ => return false,
            }
        }
    };
    let family = all.iter().filter(|(pid, _)| is_family(pid));
    Some(family.map(|(_, cpu)| cpu.own + cpu.ended).sum())
}

fn memory_of(pid: u32) -> Option<Memory> {
    read_memory(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

fn read_memory(status: &str) -> Option<Memory> {
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kib * 1024)
    };
    Some(Memory {
        rss: bytes("VmRSS:")?,
        anonymous: bytes("RssAnon:")?,
    })
}

/// Who listens on a port of this machine.
fn listeners(port: u16) -> Vec<u32> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let inodes: Vec<String> = tables
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening(&table, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    let holds = |pid: &u32| {
        let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else {
            return false;
        };
        let mut links = descriptors.filter_map(|one| fs::read_link(one.ok()?.path()).ok());
        links.any(|link| {
            inodes
                .iter()
                .any(|inode| link.as_os_str() == inode.as_str())
        })
    };
    pids().filter(holds).collect()
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// The inodes of the sockets that listen on a port, from a table of the kernel's.
fn listening(table: &str, port: u16) -> Vec<String> {
    let wanted = format!(":{port:04X}");
    let lines = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, local, _, "0A", _, _, _, _, _, inode, ..] = *fields else {
            return None;
        };
        local.ends_with(&wanted).then(|| inode.to_owned())
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_whatever_a_process_calls_itself() {
        let stat = "42 (a) R 7 (b) S 17 42 42 0 -1 4194560 1 2 3 4 150 50 30 20 20 0 1 0 9 9 9";
        let cpu = read_stat(stat).unwrap();
        let tick = Duration::from_secs(1)
            / u32::try_from(rustix::param::clock_ticks_per_second()).unwrap();
        assert_eq!(cpu.parent, 17);
        assert_eq!((cpu.own, cpu.ended), (tick * 200, tick * 50));
        assert!(read_stat("42 (a) S 17").is_none());
    }

    #[test]
    fn memory() {
        let status = "Name:\tx\nVmRSS:\t    2048 kB\nRssAnon:\t    1024 kB\nThreads:\t1\n";
        let (rss, anonymous) = (2 << 20, 1 << 20);
        assert_eq!(read_memory(status), Some(Memory { rss, anonymous }));
        assert_eq!(read_memory("Name:\tx\n"), None);
    }

    #[test]
    fn only_sockets_that_listen_on_the_port() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
             0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1111 1\n   \
             1: 0100007F:1F40 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 2222 1\n   \
             2: 0100007F:1F41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3333 1\n";
        assert_eq!(listening(table, 8000), ["1111"]);
        assert_eq!(listening(table, 8001), ["3333"]);
        assert!(listening(table, 80).is_empty());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_very_process_is_found_by_its_port_and_costs_something() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(listeners(port), [std::process::id()]);
        let own = Processes::servers(&[], &[std::process::id()]).unwrap();
        assert!(own.read().rss() > 0);
        Processes::servers(&[], &[u32::MAX]).unwrap_err();
        Processes::others(&["postgres".to_owned()]).unwrap_err();
    }
}
