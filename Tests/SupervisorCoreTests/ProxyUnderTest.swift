// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Platform

/// A real fodc-proxy with fake workers: in folders of its own, on ports of the kernel's choice, its log in a file.
final class ProxyUnderTest {
    /// Far more than anything here takes; only a test that fails waits for so long.
    static let patience = Duration.seconds(60)

    let folder: URL
    let reports: URL
    /// Of the control socket, if it has one.
    var runtimeFolder: URL { folder.appendingPathComponent("run") }
    let process = Process()
    private let logFile: URL

    /// - Parameters:
    ///   - plan: see FakeWorker.
    ///   - workers: whether the workers' programs are there.
    ///   - hasRuntimeFolder: whether it can be asked by `ctl`.
    init(
        _ flags: [String] = [], plan: String = "", environment: [String: String] = [:], workers: Bool = true,
        address: String = "127.0.0.1:0", hasRuntimeFolder: Bool = false
    ) throws {
        let programs = try Self.programFolder()
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("fodc-test-\(UUID().uuidString)")
        reports = folder.appendingPathComponent("reports")
        let files = FileManager.default
        try files.createDirectory(at: reports, withIntermediateDirectories: true)
        try files.createDirectory(at: folder.appendingPathComponent("bin"), withIntermediateDirectories: true)
        if hasRuntimeFolder {
            try files.createDirectory(at: folder.appendingPathComponent("run"), withIntermediateDirectories: false)
        }
        if workers {
            for name in ["fodc-ingest", "fodc-exporter", "fodc-recorder"] {
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
            + flags + (hasRuntimeFolder ? ["--runtime-dir=\(folder.path)/run"] : [])
        var variables = ["FAKE_WORKER_PLAN": plan, "FAKE_WORKER_REPORTS": reports.path, "PATH": "/usr/bin:/bin"]
        // Where a build that counts lines writes its counts: what the proxy runs counts, too.
        variables["LLVM_PROFILE_FILE"] = ProcessEnvironment.value("LLVM_PROFILE_FILE")
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

    /// Waits until the condition holds, and keeps no thread meanwhile; `false` if it never does.
    func waits(until condition: () -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + Self.patience
        while !condition() {
            guard ContinuousClock.now < deadline else { return false }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return true
    }

    /// Waits for a text in the log, so many times.
    func logs(_ text: String, times: Int = 1) async -> Bool {
        await waits { log.components(separatedBy: text).count > times }
    }

    /// Waits for the end; `nil` if it does not come.
    func exitCode() async -> Int32? {
        guard await waits(until: { !process.isRunning }) else { return nil }
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
