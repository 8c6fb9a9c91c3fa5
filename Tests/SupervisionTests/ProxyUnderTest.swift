// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Platform

/// A real fodc-proxy with fake workers: in folders of its own, on ports of the kernel's choice, its log in a file.
final class ProxyUnderTest {
    /// Far more than anything here takes; only a test that fails waits for so long.
    static let patienceSeconds = 60.0

    let folder: URL
    let reports: URL
    let process = Process()
    private let logFile: URL

    /// - Parameters:
    ///   - plan: see FakeWorker.
    ///   - workers: whether the workers' programs are there.
    init(
        _ flags: [String] = [], plan: String = "", environment: [String: String] = [:], workers: Bool = true,
        address: String = "127.0.0.1:0"
    ) throws {
        let programs = try Self.programFolder()
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("fodc-test-\(UUID().uuidString)")
        reports = folder.appendingPathComponent("reports")
        let files = FileManager.default
        try files.createDirectory(at: reports, withIntermediateDirectories: true)
        try files.createDirectory(at: folder.appendingPathComponent("bin"), withIntermediateDirectories: true)
        if workers {
            for name in ["fodc-ingest", "fodc-exporter"] {
                try files.createSymbolicLink(
                    at: folder.appendingPathComponent("bin/\(name)"),
                    withDestinationURL: programs.appendingPathComponent("FakeWorker"))
            }
        }
        logFile = folder.appendingPathComponent("log")
        try Data().write(to: logFile)
        process.executableURL = programs.appendingPathComponent("fodc-proxy")
        process.arguments =
            ["--libexec-dir=\(folder.path)/bin", "--grpc-listen-addr=\(address)", "--http-listen-addr=127.0.0.1:0"]
            + flags
        var variables = ["FAKE_WORKER_PLAN": plan, "FAKE_WORKER_REPORTS": reports.path, "PATH": "/usr/bin:/bin"]
        variables.merge(environment) { $1 }
        process.environment = variables
        process.standardError = try FileHandle(forWritingTo: logFile)
        process.standardOutput = process.standardError
        try process.run()
    }

    deinit {
        if process.isRunning { kill(pid, SIGKILL) }
        try? FileManager.default.removeItem(at: folder)
    }

    var pid: pid_t { process.processIdentifier }
    var log: String { (try? String(contentsOf: logFile, encoding: .utf8)) ?? "" }

    /// Waits until the condition holds; `false` if it never does.
    func waits(until condition: () -> Bool) -> Bool {
        let deadline = Date().addingTimeInterval(Self.patienceSeconds)
        while !condition() {
            guard Date() < deadline else { return false }
            usleep(20_000)
        }
        return true
    }

    /// Waits for a text in the log, so many times.
    func logs(_ text: String, times: Int = 1) -> Bool {
        waits { log.components(separatedBy: text).count > times }
    }

    /// Waits for the end; `nil` if it does not come.
    func exitCode() -> Int32? {
        guard waits(until: { !process.isRunning }) else { return nil }
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    /// The report of a fake worker: lines by their first word.
    func report(_ name: String) -> [String: [String]]? {
        guard let text = try? String(contentsOf: reports.appendingPathComponent(name), encoding: .utf8) else {
            return nil
        }
        let lines = text.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1).map(String.init) }
        return Dictionary(grouping: lines.filter { $0.count == 2 }, by: \.[0]).mapValues { $0.map(\.[1]) }
    }

    func workerPID(_ name: String) -> pid_t? {
        report(name)?["pid"]?.first.flatMap { pid_t($0) }
    }

    /// All workers that ever reported.
    var allWorkerPIDs: [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: reports.path)) ?? []
        return names.compactMap(workerPID)
    }

    static func isAlive(_ pid: pid_t) -> Bool {
        guard let status = try? SmallFile.read("/proc/\(pid)/stat") else { return false }
        // A zombie is not alive; the state stands behind the name, which is in parentheses.
        let text = String(decoding: status, as: UTF8.self)
        return text.components(separatedBy: ") ").last?.first != "Z"
    }

    /// The build's folder: fodc-proxy and FakeWorker are beside the tests.
    private static func programFolder() throws -> URL {
        URL(fileURLWithPath: try ProcessEnvironment.executablePath()).deletingLastPathComponent()
    }
}
