//! What the operating system says of a process: peak memory and processor time, from `/proc`.

/// Memory and processor time of a process so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// Peak resident memory in bytes (`VmHWM`).
    pub(crate) rss_peak_bytes: u64,
    /// Resident memory now, in bytes.
    pub(crate) rss_bytes: u64,
    /// User and system time in seconds.
    pub(crate) cpu_s: f64,
}

impl Usage {
    /// Reads both files; none where there is no `/proc` or the process is gone.
    pub(crate) fn of(pid: u32) -> Option<Usage> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some(Usage {
            rss_peak_bytes: kilobytes(&status, "VmHWM:")?,
            rss_bytes: kilobytes(&status, "VmRSS:")?,
            cpu_s: ticks(&stat)? as f64 / rustix::param::clock_ticks_per_second() as f64,
        })
    }
}

fn kilobytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// utime + stime: the 14th and 15th field, counted behind the name, which may hold blanks and brackets.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let (user, system) = (fields.next()?, fields.next()?);
    Some(user.parse::<u64>().ok()? + system.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_files_are_read_by_their_fields() {
        assert_eq!(kilobytes("Name:\tx\nVmHWM:\t   1234 kB\n", "VmHWM:"), Some(1234 * 1024));
        let stat = "42 (a) b) S 1 42 42 0 -1 4194304 97 0 0 0 150 25 0 0 20 0 1 0 100 0 0";
        assert_eq!(ticks(stat), Some(175));
        assert_eq!(ticks("nothing"), None);
    }

    #[test]
    fn this_process_has_memory() {
        if let Some(usage) = Usage::of(std::process::id()) {
            assert!(usage.rss_peak_bytes >= usage.rss_bytes && usage.rss_bytes > 0);
        }
    }
}
