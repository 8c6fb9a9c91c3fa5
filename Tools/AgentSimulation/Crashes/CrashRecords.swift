// SPDX-License-Identifier: Apache-2.0

import Calendar
import FODCProtocol

/// The crashes of a node, which its agent has all on disk and sends anew whenever it is asked.
enum CrashRecords {
    private struct Cause {
        let component: String
        let panic: String
        let stages: [String]
    }

    private static let causes = [
        Cause(
            component: "merge-loop", panic: "runtime error: index out of range [3] with length 3",
            stages: ["pick-parts", "open-readers", "merge-blocks", "write-index"]),
        Cause(
            component: "flush-loop", panic: "runtime error: invalid memory address or nil pointer dereference",
            stages: ["swap-memtable", "sort-blocks", "write-part", "sync"]),
        Cause(
            component: "query-executor", panic: "runtime error: slice bounds out of range [:4096] with capacity 2048",
            stages: ["parse", "plan", "scan", "aggregate"]),
        Cause(
            component: "segment-rotation", panic: "panic: cannot remove segment: \"directory not empty\"\n\tretries: 3",
            stages: ["list", "close", "remove"]),
    ]
    /// Between two crashes of a node, more or less.
    private static let spacingSeconds: Int64 = 7 * 3600

    /// Newest last, without the time at which they are fetched.
    static func records(
        of node: ClusterNode, count: Int, seed: UInt64
    ) -> [Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest] {
        (0..<count).map { number in
            var generator = SimulationGenerator(seed: StableHash.key("\(node.id)/crash/\(number)", seed: seed))
            let cause = causes[Int(generator.next() % UInt64(causes.count))]
            let seconds =
                ValueModel.originSeconds + Int64(number) * spacingSeconds
                + Int64(generator.next() % UInt64(spacingSeconds))
            let time = CivilTime(secondsSinceEpoch: seconds)
            let isRecovered = generator.next() % 2 == 0
            var record = Banyandb_Fodc_V1_StreamCrashDiagnosticsRequest()
            if isRecovered {  // the agent's own process is the node's: it was told
                record.sourceEndpoint = "fodc-agent"
                record.artifactDir = "in-process-\(cause.component)-\(RFC3339.text(seconds: seconds))"
            } else {  // found when the node had started again
                record.sourceEndpoint = "http://localhost:6060"
                record.artifactDir = "/tmp/crash-artifacts/\(time.compact)-\(number)"
                record.files = ["panic.json", "goroutine.txt", "heap.pprof"]
            }
            record.panicRecord = panicRecord(
                cause, of: node, seconds: seconds, isRecovered: isRecovered, using: &generator)
            return record
        }
    }

    private static func panicRecord(
        _ cause: Cause, of node: ClusterNode, seconds: Int64, isRecovered: Bool,
        using generator: inout SimulationGenerator
    ) -> Banyandb_Fodc_V1_CrashPanicRecord {
        var record = Banyandb_Fodc_V1_CrashPanicRecord()
        record.occurredAt = .init(nanoseconds: seconds * 1_000_000_000 + Int64(generator.next() % 1_000_000_000))
        record.component = cause.component
        record.panicValue = cause.panic
        record.recovered = isRecovered
        record.goroutineStack = GoroutineStack.text(using: &generator)
        record.breadcrumbs = cause.stages.enumerated().map { position, stage in
            var crumb = Banyandb_Fodc_V1_CrashBreadcrumb()
            let before = Int64(cause.stages.count - position)
            crumb.time = .init(
                nanoseconds: (seconds - before) * 1_000_000_000 + Int64(generator.next() % 1_000_000_000))
            crumb.stage = stage
            crumb.component = cause.component
            crumb.fields = [
                "group": "sw_metrics_minute", "part": "\(generator.next() % 1000)", "shard": "\(generator.next() % 2)",
            ]
            return crumb
        }
        record.processMetadata = [
            "pod": node.identity.podName, "container": node.identity.containerNames[0],
            "pid": "\(1 + generator.next() % 40)", "version": NodeConfigurations.version, "go_version": "go1.24.6",
            "goos": "linux", "goarch": "amd64", "num_goroutine": "\(180 + generator.next() % 900)",
            "uptime_seconds": "\(600 + generator.next() % 500_000)",
        ]
        return record
    }
}
