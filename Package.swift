// swift-tools-version: 6.2
import PackageDescription

/// One set of rules for every Swift target.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// A release starts at a fixed address: 77,000 relocations less at every start. What no code reaches is left out; nobody
/// loads the program as a library, so what it exports reaches nothing.
let lean: [LinkerSetting] = [
    .unsafeFlags(
        ["-Xclang-linker", "-no-pie", "-Xlinker", "--gc-sections", "-Xlinker", "--no-export-dynamic"],
        .when(configuration: .release))
]

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["TestSupport"], exclude: exclude, swiftSettings: strict)
}

/// libFuzzer brings a `main` of its own, so what it calls is built by `ci/fuzz` alone.
let fuzzers: [Target] =
    Context.environment["MUSTER_FUZZ"] == nil
    ? []
    : ["FuzzManifest", "FuzzSQL", "FuzzTenants"].map { name in
        .executableTarget(
            name: name, dependencies: ["FuzzProperties"], path: "Tests/Fuzzers/\(name)", swiftSettings: strict)
    }

let package = Package(
    name: "muster",
    products: [.executable(name: "muster", targets: ["muster"])],
    targets: [
        .systemLibrary(name: "CLibPQ", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CSystem"),
        room("Groundwork"),
        room("RunbookModel", ["Groundwork"]),
        room("DatabaseAccess", ["Groundwork"]),
        room("ManifestFiles", ["Groundwork", "RunbookModel"]),
        room("PostgresAccess", ["DatabaseAccess", "CLibPQ"]),
        room("SQLiteAccess", ["Groundwork", "DatabaseAccess", "CSQLite", "CSystem"]),
        room("LedgerStore", ["Groundwork", "RunbookModel", "DatabaseAccess"]),
        room("RunbookRunner", ["Groundwork", "RunbookModel", "DatabaseAccess", "LedgerStore", "CSystem"]),
        room("Reporting", ["Groundwork", "RunbookModel"]),
        room(
            "CommandLine",
            [
                "Groundwork", "RunbookModel", "ManifestFiles", "DatabaseAccess", "PostgresAccess", "SQLiteAccess",
                "LedgerStore", "RunbookRunner", "Reporting",
            ]),
        .executableTarget(
            name: "muster", dependencies: ["CommandLine"], swiftSettings: strict, linkerSettings: lean),

        .target(
            name: "TestSupport", dependencies: ["DatabaseAccess", "PostgresAccess", "SQLiteAccess"],
            path: "Tests/TestSupport", swiftSettings: strict),
        tests("GroundworkTests", ["Groundwork"]),
        tests("RunbookModelTests", ["RunbookModel"]),
        tests("ManifestFilesTests", ["ManifestFiles", "RunbookModel"], exclude: ["Broken", "Accepted"]),
        tests("DatabaseAccessTests", ["DatabaseAccess", "PostgresAccess", "SQLiteAccess"]),
        tests("LedgerStoreTests", ["LedgerStore", "RunbookModel", "DatabaseAccess", "PostgresAccess", "SQLiteAccess"]),
        tests(
            "RunbookRunnerTests",
            [
                "Groundwork", "RunbookRunner", "LedgerStore", "ManifestFiles", "RunbookModel", "DatabaseAccess",
                "PostgresAccess", "SQLiteAccess",
            ]),
        tests("ReportingTests", ["Reporting", "RunbookModel"]),
        tests(
            "CommandLineTests", ["CommandLine", "RunbookModel", "RunbookRunner", "Reporting"], exclude: ["Snapshots"]),
        tests("CommandTests", []),
        tests("IntegrationTests", ["DatabaseAccess"]),
        tests("FaultTests", ["DatabaseAccess"]),
        .target(
            name: "FuzzProperties", dependencies: ["ManifestFiles", "RunbookModel"], path: "Tests/FuzzProperties",
            swiftSettings: strict),
        tests("FuzzTests", ["FuzzProperties"]),
    ] + fuzzers
)
