//! How busy the machine is.

use sysinfo::{MemoryRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, RefreshKind, System};

use super::Moment;

/// Measures processor and memory, under the names that MLflow's clients use.
#[derive(Debug)]
pub struct SystemLoad {
    system: System,
    process: Option<Pid>,
}

const MEGABYTE: f64 = 1e6;

impl SystemLoad {
    /// Starts to measure.
    #[must_use]
    pub fn new() -> Self {
        let mut system = System::new_with_specifics(RefreshKind::nothing());
        system.refresh_cpu_usage();
        Self { system, process: sysinfo::get_current_pid().ok() }
    }

    /// The load since the last measurement, as the numbers of a run after `step` others.
    pub fn measure(&mut self, step: usize) -> Moment {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        let (used, total) = (self.system.used_memory() as f64, self.system.total_memory() as f64);
        let values = [
            ("system/cpu_utilization_percentage", Some(f64::from(self.system.global_cpu_usage()))),
            ("system/system_memory_usage_megabytes", Some(used / MEGABYTE)),
            ("system/system_memory_usage_percentage", Some(100.0 * used / total)),
            ("system/process_memory_usage_megabytes", self.own_memory()),
        ];
        Moment::now(None, step, &values)
    }

    fn own_memory(&mut self) -> Option<f64> {
        let process = self.process?;
        let kind = ProcessRefreshKind::nothing().with_memory();
        self.system.refresh_processes_specifics(ProcessesToUpdate::Some(&[process]), false, kind);
        Some(self.system.process(process)?.memory() as f64 / MEGABYTE)
    }
}

impl Default for SystemLoad {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_shares_and_this_process_has_memory() {
        let moment = SystemLoad::new().measure(3);
        let value = |name: &str| {
            moment.values.iter().find(|(own, _)| own == name).map(|(_, value)| *value).unwrap()
        };
        assert_eq!(moment.step, 3);
        assert!((0.0..=100.0).contains(&value("system/cpu_utilization_percentage")));
        assert!((0.1..=100.0).contains(&value("system/system_memory_usage_percentage")));
        assert!(value("system/process_memory_usage_megabytes") > 1.0);
    }
}
