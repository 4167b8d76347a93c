//! What this worker may use of its machine: alerts compare what it uses with this.

use std::fs;
use std::path::Path;

/// Where a container's limits stand, in the second and the first version of control groups.
const LIMITS: [&str; 2] = [
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
];

/// How many processors, a container's quota respected.
pub(super) fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How many bytes of memory: the container's limit or, where there is none, the machine's memory.
/// `None` on systems that do not say.
pub(super) fn memory_limit() -> Option<u64> {
    let limits = LIMITS.iter().filter_map(|path| limit(Path::new(path)));
    let machine = fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.and_then(|text| total(&text));
    limits.chain(machine).min()
}

/// A limit that is not set is a word, or larger than any machine.
fn limit(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_says_how_much_there_is() {
        assert!(cpus() >= 1);
        #[cfg(target_os = "linux")]
        assert!(memory_limit().is_some_and(|bytes| bytes > 1 << 20));
        assert_eq!(
            total("MemFree: 1 kB\nMemTotal:       2048 kB\n"),
            Some(2 << 20)
        );
        assert_eq!(total("MemTotal: much"), None);
    }
}
