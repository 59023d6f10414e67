import RunbookModel
import Testing

struct WorkerCountTests {
    private typealias Machine = WorkerCount.Machine

    /// Guarantee: files get at most four workers a core, and nobody more than the process can open files for; always one.
    @Test(arguments: [
        (wanted: 8, perServer: 16, files: false, cores: 2, descriptors: 1024, count: 8),
        (wanted: 64, perServer: 16, files: false, cores: 2, descriptors: 1024, count: 16),
        (wanted: 8, perServer: 16, files: true, cores: 1, descriptors: 1024, count: 4),
        (wanted: 8, perServer: 16, files: true, cores: 2, descriptors: 1024, count: 8),
        (wanted: 500, perServer: 500, files: true, cores: 2, descriptors: 1024, count: 8),
        (wanted: 500, perServer: 500, files: true, cores: 64, descriptors: 1024, count: 80),
        (wanted: 500, perServer: 500, files: false, cores: 64, descriptors: 1024, count: 80),
        (wanted: 8, perServer: 16, files: true, cores: 2, descriptors: 100, count: 3),
        (wanted: 8, perServer: 16, files: true, cores: 2, descriptors: 20, count: 1),
        (wanted: 1, perServer: 16, files: true, cores: 64, descriptors: 1024, count: 1),
    ])
    func workersAreBounded(
        wanted: Int, perServer: Int, files: Bool, cores: Int, descriptors: Int, count: Int
    ) {
        let machine = Machine(cores: cores, descriptors: descriptors)
        #expect(WorkerCount.of(wanted: wanted, perServer: perServer, areFiles: files, on: machine) == count)
    }

    @Test func withoutALimitDescriptorsDoNotCount() {
        let machine = Machine(cores: 2, descriptors: nil)
        #expect(WorkerCount.of(wanted: 500, perServer: 500, areFiles: false, on: machine) == 500)
    }

    /// Guarantee: what a manifest says of its tenants tells whether they are files.
    @Test func filesAreKnownByTheirAddresses() {
        let postgres = TargetTemplate(url: Redacted("postgres:///{id}"))
        let files = TargetTemplate(url: Redacted("sqlite:{id}.db"))
        #expect(TenantSettings(source: .files(pattern: "*.db")).areFiles)
        #expect(TenantSettings(source: .command(["list"]), target: files).areFiles)
        #expect(!TenantSettings(source: .command(["list"]), target: postgres).areFiles)
        #expect(!TenantSettings(source: .command(["list"])).areFiles)
        #expect(TenantSettings(source: .list([Tenant(id: "a", url: Redacted("sqlite:a.db"))])).areFiles)
        #expect(!TenantSettings(source: .list([Tenant(id: "a")])).areFiles)
    }
}
