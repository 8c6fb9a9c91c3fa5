// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// AES and CRC instructions of every x86-64 server since 2010; the portable path is chosen at start where they are missing.
#if arch(x86_64)
    let hotPath: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-maes", "-Xcc", "-msse4.2"])]
#else
    let hotPath: [SwiftSetting] = []
#endif

// A reader that holds the span that it reads from says so with `@_lifetime`.
let lifetimes: [SwiftSetting] = [.enableExperimentalFeature("Lifetimes")]

// Generic code of these libraries is made for the types of those who use them. Without it the collections of a scrape ask
// the runtime for types and witness tables at each step (measured: 4 % of an ingest worker's time).
let specialized: [SwiftSetting] = [.unsafeFlags(["-cross-module-optimization"], .when(configuration: .release))]

// The commit of this build, for fodc_proxy_build_info; make sets it. One small C file has it, so that a new commit compiles
// and links little anew.
let revision = Context.environment["FODC_REVISION"] ?? "unknown"

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")

let package = Package(
    name: "fodc-proxy",
    products: [
        .executable(name: "fodc-proxy", targets: ["Supervisor"]),
        .executable(name: "fodc-ingest", targets: ["Ingest"]),
        .executable(name: "fodc-exporter", targets: ["Exporter"]),
        .executable(name: "fodc-recorder", targets: ["Recorder"]),
        .executable(name: "fodc-agentsim", targets: ["AgentSim"]),
        .executable(name: "fodc-ring", targets: ["RingTool"]),
        // Has no `main`: libFuzzer brings it (make fuzz).
        .library(name: "fodc-fuzz", type: .static, targets: ["Fuzz"]),
        .executable(name: "fodc-blackbox", targets: ["BlackBoxTool"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.39.0"),
    ],
    targets: [
        // Executables: read flags, wire, nothing else. They name Settings, which they get through WorkerLink, since a
        // change of its types' layout is seen by an incremental build only where it is named.
        .executableTarget(
            name: "Supervisor", dependencies: ["Credentials", "Platform", "SupervisorCore", "Settings", arguments]),
        .executableTarget(name: "Ingest", dependencies: ["IngestCore", "Settings", "WorkerLink", "WorkerRuntime"]),
        .executableTarget(
            name: "Exporter", dependencies: ["CRevision", "ExporterCore", "Settings", "WorkerLink", "WorkerRuntime"]),
        .executableTarget(
            name: "RingTool", dependencies: ["Calendar", "RingMessages", "JSONWriting", "Rings", "Platform", arguments]),

        .executableTarget(name: "Recorder", dependencies: ["RecorderCore", "Settings", "WorkerLink", "WorkerRuntime"]),

        .executableTarget(
            name: "BlackBoxTool",
            dependencies: ["BlackBox", "BlackBoxReports", "Calendar", "Database", "Metrics", "Platform", arguments]),

        // The workers' and the supervisor's logic.
        .target(
            name: "SupervisorCore",
            dependencies: [
                "BinaryCoding", "Calendar", "RingMessages", "JSONWriting", "Rings", "Platform", "Settings", "Logs",
                "Sandbox", "WorkerLink",
                log,
            ]),
        .target(
            name: "IngestCore",
            dependencies: [
                "Collecting", "RingMessages", "FODCProtocol", "GRPCCauses", "GRPCServer", "Rings", "Logs", "Metrics",
                "Platform", "Settings", "TestHooks", "TransportSecurity", "WorkerLink", "WorkerRuntime", nioCore, log,
                protobuf, deque,
            ]),
        .target(
            name: "ExporterCore",
            dependencies: [
                "BinaryCoding", "BlackBox", "BlackBoxReports", "Calendar", "Collecting", "Credentials", "Database",
                "RingMessages", "FODCProtocol", "GRPCCauses", "HTTPAccess", "HTTPServer", "JSONWriting", "Rings",
                "Logs", "Metrics", "Platform", "Pprof", "Reports",
                "Settings",
                "CChartLibrary", "Gzip", "TestHooks", "TransportSecurity", "WebConfig", "WorkerLink", "WorkerRuntime",
                nioCore,
                nioPosix, log, protobuf, deque,
            ],
            exclude: ["Site/Assets"]),

        .target(
            name: "RecorderCore",
            dependencies: [
                "BlackBox", "Database", "RingMessages", "FODCProtocol", "JSONWriting", "Rings", "Metrics", "Platform",
                "Reports", "Settings", "TestHooks", "WorkerLink", "WorkerRuntime", nioCore, log, protobuf,
            ]),

        // Reports: the answers of the streams other than metrics, as JSON.
        .target(
            name: "Reports",
            dependencies: ["BinaryCoding", "Calendar", "FODCProtocol", "JSONWriting", "Platform", protobuf]),

        // Profiles in pprof's format, and the forms in which they are shown.
        .target(
            name: "Pprof", dependencies: ["CISAL", "JSONWriting", "Metrics", "Platform", protobuf], exclude: ["Protos"]),

        // Protocols.
        .target(
            name: "GRPCServer",
            dependencies: [
                "GRPCCauses", "HTTP2", "Platform", "TransportSecurity", nioCore, nioPosix, log, deque,
            ]),
        .target(name: "HTTP2", dependencies: ["CNghttp2", "Platform", nioCore]),
        .target(
            name: "HTTPServer",
            dependencies: ["Calendar", "Gzip", "Platform", "TransportSecurity", nioCore, nioPosix, log]),
        // Certificates and keys of both listeners, and the files that are read anew when they change.
        .target(name: "TransportSecurity", dependencies: ["Platform", nioCore, nioSSL, nioTLS, log]),
        // Access control of the HTTP side: the files that configure it, and the gate in front of the endpoints.
        .target(
            name: "HTTPAccess", dependencies: ["Credentials", "HTTPServer", "Platform", "WebConfig", nioCore, log]),
        .target(
            name: "WebConfig", dependencies: ["Credentials", "Settings", "TransportSecurity", "YAML", nioSSL]),
        .target(name: "FODCProtocol", dependencies: ["Metrics", "Platform", protobuf], exclude: ["Protos"]),

        // Causes that the gRPC server counts: the exporter shows them, and does not link the server.
        .target(name: "GRPCCauses"),

        // The history of nodes, on the disk.
        .target(
            name: "BlackBox",
            dependencies: [
                "BinaryCoding", "Calendar", "Database", "RingMessages", "JSONWriting", "Metrics", "Platform",
                "Zstandard",
            ]),
        .target(name: "Database", dependencies: ["CSQLite", "Platform"]),
        .target(name: "Zstandard", dependencies: ["CZstd"]),
        .target(name: "Gzip", dependencies: ["CISAL"]),
        // The history as others read it: reports, text, bundles. For the exporter, and for the tool that needs no service.
        .target(
            name: "BlackBoxReports",
            dependencies: [
                "BlackBox", "Calendar", "Database", "FODCProtocol", "Gzip", "JSONWriting", "Metrics", "Platform",
                "Reports",
                protobuf,
            ]),

        // The data.
        .target(
            name: "Metrics", dependencies: ["Calendar", "JSONWriting", "Platform", "CPlatform"], swiftSettings: hotPath),
        .target(
            name: "RingMessages", dependencies: ["BinaryCoding", "Rings", "Platform"], swiftSettings: specialized),

        // The collections of both workers.
        .target(name: "Collecting", swiftSettings: specialized),

        // Shared by the processes: how they are started, and how they talk.
        .target(name: "WorkerLink", dependencies: ["BinaryCoding", "Rings", "Platform", "Settings"]),
        .target(
            name: "WorkerRuntime",
            dependencies: [
                "Logs", "Platform", "Sandbox", "Settings", "TestHooks", "WorkerLink", nioCore, nioPosix, log,
            ]),
        .target(name: "Logs", dependencies: ["Calendar", "JSONWriting", "Platform", log]),
        .target(name: "Settings", dependencies: ["Platform", "TestHooks"]),
        .target(name: "Rings", dependencies: ["Platform", "CPlatform", "TestHooks"]),

        // Faults on demand; empty in release builds.
        .target(name: "TestHooks", dependencies: ["CTestHooks", "Platform"]),
        .target(name: "CTestHooks", cSettings: [.define("FODC_TEST_HOOKS", .when(configuration: .debug))]),

        // Values as bytes and as text.
        .target(name: "BinaryCoding", dependencies: ["Platform"], swiftSettings: lifetimes + specialized),
        .target(name: "JSONWriting", dependencies: ["Calendar", "Platform"]),
        .target(name: "Calendar"),
        .target(name: "YAML", dependencies: ["CYAML"]),
        // Passwords and tokens, and how they are held against what is kept of them.
        .target(name: "Credentials", dependencies: ["CCrypt", "CGcrypt"]),

        // The rights that processes give up before they serve.
        .target(name: "Sandbox", dependencies: ["CSandbox", "Platform", "TestHooks"]),
        .target(name: "CSandbox", linkerSettings: [.linkedLibrary("seccomp")]),

        // The machine.
        .target(name: "Platform", dependencies: ["CPlatform", "CSystemd"], swiftSettings: hotPath),
        .target(name: "CPlatform"),
        // The library that draws charts in the pages, out of a Debian package.
        .target(name: "CChartLibrary"),
        .target(name: "CRevision", cSettings: [.define("FODC_REVISION_TEXT", to: "\"\(revision)\"")]),
        .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CCrypt", pkgConfig: "libcrypt", providers: [.apt(["libcrypt-dev"])]),
        .systemLibrary(name: "CGcrypt", pkgConfig: "libgcrypt", providers: [.apt(["libgcrypt20-dev"])]),
        .systemLibrary(name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

        // The workshop: what torments, times and feeds the product. No target above depends on it (scripts/tidy.sh looks).
        .executableTarget(
            name: "AgentSim", dependencies: ["AgentSimulation", "Platform", "Settings", arguments],
            path: "Tools/AgentSim"),
        .target(
            name: "AgentSimulation",
            dependencies: [
                "Calendar", "FODCProtocol", "HTTP2", "JSONWriting", "Platform", "Pprof", "Settings", nioCore, nioPosix,
                nioSSL, nioHTTP1, log, protobuf,
            ],
            path: "Tools/AgentSimulation"),
        .executableTarget(
            name: "RingStress", dependencies: ["Rings", "Platform", arguments], path: "Tools/RingStress"),

        // Ways into the program for hostile bytes, with what must hold for all of them.
        .target(
            name: "Fuzz",
            dependencies: [
                "BinaryCoding", "BlackBox", "BlackBoxReports", "Calendar", "Credentials", "Database", "RingMessages",
                "ExporterCore", "FODCProtocol", "GRPCCauses", "GRPCServer", "HTTP2", "HTTPServer", "IngestCore",
                "Rings", "Metrics", "Platform", "Pprof", "Reports", "Settings", "SupervisorCore", "TransportSecurity",
                "WebConfig", "WorkerLink", "YAML", "Zstandard", log, nioCore, nioEmbedded, nioHTTP1, nioSSL, protobuf,
            ],
            path: "Tools/Fuzz", exclude: ["Corpus"]),
        .executableTarget(
            name: "BlackBoxBench",
            dependencies: [
                "AgentSimulation", "BlackBox", "BlackBoxReports", "Database", "RingMessages", "Metrics", "Platform",
                arguments,
            ],
            path: "Tools/BlackBoxBench"),

        // Allocations of the hot paths, compared with thresholds that are checked in (make allocations).
        .target(name: "CAllocationCount", path: "Benchmarks/CAllocationCount"),
        .executableTarget(
            name: "HotPathBenchmarks", dependencies: ["CAllocationCount", "Rings", "Metrics", "Platform"],
            path: "Benchmarks/HotPaths"),

        // Helpers of the tests; then a target of tests for each library.
        .target(name: "TestSupport", dependencies: ["HTTP2", "Platform", nioCore], path: "Tests/TestSupport"),
        // Stands in for both workers in the supervisor's tests.
        .executableTarget(
            name: "FakeWorker", dependencies: ["Rings", "Platform", "WorkerLink"], path: "Tests/FakeWorker"),
        // Stands in for a worker in the tests of what every worker's process does.
        .executableTarget(
            name: "ProbeWorker", dependencies: ["Platform", "Settings", "WorkerLink", "WorkerRuntime", nioCore, log],
            path: "Tests/ProbeWorker"),
        .testTarget(name: "CalendarTests", dependencies: ["Calendar"]),
        .testTarget(name: "JSONWritingTests", dependencies: ["Calendar", "JSONWriting", "TestSupport"]),
        .testTarget(name: "BinaryCodingTests", dependencies: ["BinaryCoding", "TestSupport"]),
        .testTarget(name: "SandboxTests", dependencies: ["CSandbox", "Platform", "Sandbox"]),
        .testTarget(name: "PlatformTests", dependencies: ["Platform", "TestSupport"]),
        .testTarget(name: "SettingsTests", dependencies: ["Platform", "Settings", "TestSupport"]),
        .testTarget(name: "LogsTests", dependencies: ["Logs", "Platform", "TestSupport", log]),
        .testTarget(name: "WorkerLinkTests", dependencies: ["Platform", "Settings", "WorkerLink"]),
        .testTarget(name: "TestHooksTests", dependencies: ["TestHooks"]),
        // Starts ProbeWorker.
        .testTarget(
            name: "WorkerRuntimeTests",
            dependencies: [
                "Platform", "ProbeWorker", "Settings", "TestSupport", "WorkerLink", "WorkerRuntime", nioCore, nioPosix,
            ]),
        // Starts RingStress.
        .testTarget(name: "RingsTests", dependencies: ["RingStress", "Rings", "Platform", "TestSupport"]),
        .testTarget(
            name: "MetricsTests", dependencies: ["Calendar", "Metrics", "FODCProtocol", "TestSupport", protobuf]),
        .testTarget(name: "HTTP2Tests", dependencies: ["HTTP2", "TestSupport", nioCore]),
        .testTarget(
            name: "GRPCServerTests",
            dependencies: [
                "HTTP2", "GRPCCauses", "GRPCServer", "Platform", "TestSupport", nioCore, nioPosix, nioEmbedded,
            ]),
        .testTarget(name: "YAMLTests", dependencies: ["YAML"]),
        .testTarget(name: "CredentialsTests", dependencies: ["Credentials"]),
        .testTarget(
            name: "WebConfigTests",
            dependencies: ["Credentials", "TestSupport", "TransportSecurity", "WebConfig", "YAML"]),
        .testTarget(
            name: "HTTPAccessTests",
            dependencies: [
                "Credentials", "HTTPAccess", "HTTPServer", "Platform", "TestSupport", "WebConfig", nioCore, nioPosix,
                log,
            ]),
        .testTarget(
            name: "TransportSecurityTests",
            dependencies: [
                "Platform", "TransportSecurity", "TestSupport", nioCore, nioEmbedded, nioPosix, nioSSL, log,
            ]),
        .testTarget(
            name: "HTTPServerTests",
            dependencies: ["Gzip", "HTTPServer", "TestSupport", nioCore, nioPosix, nioHTTP1, nioEmbedded]),
        .testTarget(
            // Starts fodc-proxy, with FakeWorker for its workers.
            name: "SupervisorCoreTests",
            dependencies: [
                "BinaryCoding", "FakeWorker", "Rings", "Logs", "SupervisorCore", "Supervisor", "Settings", "Platform",
                "TestSupport",
                "WorkerLink", log,
            ]),
        .testTarget(
            name: "ReportsTests", dependencies: ["FODCProtocol", "JSONWriting", "Platform", "Reports", protobuf]),
        .testTarget(
            name: "AgentSimulationTests",
            dependencies: ["AgentSimulation", "Calendar", "FODCProtocol", "HTTP2", "Pprof", protobuf, nioEmbedded]),
        .testTarget(name: "RingMessagesTests", dependencies: ["BinaryCoding", "RingMessages", "Rings", "TestSupport"]),
        .testTarget(name: "DatabaseTests", dependencies: ["Database", "Platform", "TestSupport"]),
        .testTarget(name: "ZstandardTests", dependencies: ["TestSupport", "Zstandard"]),
        .testTarget(
            name: "BlackBoxTests",
            dependencies: ["BlackBox", "Database", "RingMessages", "Metrics", "Platform", "TestSupport", "Zstandard"]),
        .testTarget(
            name: "BlackBoxReportsTests",
            dependencies: [
                "BlackBox", "BlackBoxReports", "Database", "FODCProtocol", "Metrics", "Reports", "RingMessages",
                "TestSupport",
            ]),
        .testTarget(
            name: "RecorderCoreTests",
            dependencies: [
                "BlackBox", "Database", "RingMessages", "FODCProtocol", "Rings", "Metrics", "Platform", "RecorderCore",
                "Reports", "TestSupport", log,
            ]),
        .testTarget(name: "CollectingTests", dependencies: ["Collecting"]),
        .testTarget(
            name: "PprofTests", dependencies: ["Gzip", "HTTPServer", "Pprof", "TestSupport", nioCore, protobuf]),
        .testTarget(name: "FuzzTests", dependencies: ["Fuzz"]),
        .testTarget(
            name: "IngestCoreTests",
            dependencies: [
                "Collecting", "RingMessages", "GRPCCauses", "GRPCServer", "IngestCore", "Rings", "FODCProtocol",
                "Metrics",
                "Platform", "Settings", "TransportSecurity", "WorkerLink", log, nioCore, nioEmbedded, nioPosix,
            ]),
        .testTarget(
            name: "ExporterCoreTests",
            dependencies: [
                "BlackBox", "RingMessages", "ExporterCore", "HTTPServer", "Rings", "Metrics", "Platform", "Pprof",
                "Reports", "Settings",
                "TestSupport", "WorkerLink", nioCore, nioPosix, log,
            ]),
    ],
    swiftLanguageModes: [.v6]
)
