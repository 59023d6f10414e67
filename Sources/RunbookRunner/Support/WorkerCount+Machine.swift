import FoundationEssentials
private import Glibc
import RunbookModel

extension WorkerCount.Machine {
    /// This process on this machine.
    static var present: Self {
        // The soft limit, which hooks inherit too; -1 when there is none (sysconf(3)).
        let descriptors = sysconf(Int32(_SC_OPEN_MAX))
        return Self(
            cores: ProcessInfo.processInfo.activeProcessorCount, descriptors: descriptors < 0 ? nil : descriptors)
    }
}
