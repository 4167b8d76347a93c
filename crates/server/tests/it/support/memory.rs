//! What a process has of memory.

use std::fs;

use testkit::process::Process;

/// Watches a process.
pub struct Memory(u32);

impl Memory {
    pub fn of(process: &Process) -> Self {
        Self(process.id())
    }

    /// By how many bytes what is resident was more at its highest than when `during` began. Nothing
    /// where the system does not say it.
    pub async fn growth<T>(&self, during: impl Future<Output = T>) -> (T, u64) {
        // Forgets the highest so far.
        let _forgotten = fs::write(format!("/proc/{}/clear_refs", self.0), "5");
        let before = self.bytes("VmRSS");
        let done = during.await;
        (done, self.bytes("VmHWM").saturating_sub(before))
    }

    /// What it has asked for, whether it uses it or not.
    pub fn asked_for(&self) -> u64 {
        self.bytes("VmData")
    }

    fn bytes(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.trim_start_matches(':').split_whitespace().next());
        kib.map_or(0, |kib| kib.parse::<u64>().unwrap() * 1024)
    }
}
