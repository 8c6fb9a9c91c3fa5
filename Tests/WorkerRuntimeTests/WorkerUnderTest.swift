// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Settings
import TestSupport
import WorkerLink

/// A real worker process; the test is its supervisor. Used by the test's thread alone, with which it ends.
final class WorkerUnderTest {
    /// Time that only a defect takes.
    private static let timeoutMilliseconds: Int32 = 60_000

    private(set) var link: Int32
    private let child: ChildProcess
    private let reader: Int32
    private(set) var output = ""

    /// - Parameters:
    ///   - plan: see ProbeWorker.
    ///   - arguments: in place of those of a supervisor.
    init(
        _ role: WorkerRole = .ingest, isStandby: Bool = false, plan: String = "", arguments: [String]? = nil
    ) throws {
        let (reader, writer) = try closeOnExecPipe()
        let (mine, theirs) = try MessageSocket.pair()
        let secret = try MemoryFile.create(name: "fodc-test", byteCount: WorkerLaunch.secretBytes)
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { for descriptor in [writer, theirs, secret, nothing] { close(descriptor) } }
        // A probe looks at none of its rings.
        let rings: WorkerDescriptors.Rings =
            role == .ingest
            ? .ingest(.init(dataRing: 6, commandA: 6, commandB: 6, wakeupA: 6, wakeupB: 6, otherDataRings: []))
            : .exporter(.init(dataRings: [6, 6], commandRings: [6, 6], wakeups: [6, 6], state: 6, recorderState: 6))
        let inherited = ["LLVM_PROFILE_FILE"].compactMap { name in
            ProcessEnvironment.value(name).map { "\(name)=\($0)" }
        }
        let launch = WorkerLaunch(
            role: role, index: 0, generation: 1, ingestWorkers: 2, isStandby: isStandby,
            // The coverage counter writes a file at the process's end, which a sandbox forbids.
            settings: try ProxySettings(flagValues: inherited.isEmpty ? [] : [(.sandbox, "off")]),
            descriptors: WorkerDescriptors(
                control: 6, link: 3, listener: 5, secret: role == .ingest ? 4 : nil, rings: rings))
        child = try ChildProcess(
            path: "\(try TestPrograms.folder())/ProbeWorker", arguments: ["probe"] + (arguments ?? launch.arguments),
            environment: ["PROBE_PLAN=\(plan)", "SWIFT_BACKTRACE=enable=no"] + inherited,
            descriptors: [theirs, secret, nothing, nothing], output: writer)
        (link, self.reader) = (mine, reader)
    }

    deinit {
        child.signal(SIGKILL)
        leave()
        close(reader)
    }

    /// The supervisor is no more.
    func leave() {
        if link >= 0 { close(link) }
        link = -1
    }

    func send(_ message: SupervisorMessage, descriptors: Int = 0) throws {
        try MessageSocket.send(
            MessageCoding.encode(message), descriptors: [Int32](repeating: reader, count: descriptors), on: link)
    }

    private func isReadable(_ descriptor: Int32) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, Self.timeoutMilliseconds) == 1
    }

    /// Its next message, but for the one about its sandbox, which must lack nothing; `nil`: it has ended.
    func nextMessage() throws -> WorkerMessage? {
        guard isReadable(link), case .message(let message) = try MessageSocket.receive(on: link) else { return nil }
        let said = MessageCoding.decodeWorkerMessage(message.bytes)
        return said == .sandboxed(missing: "") ? try nextMessage() : said
    }

    /// Reads on until that text has come.
    func says(_ text: String) -> Bool {
        while !output.contains(text), readMore() {}
        return output.contains(text)
    }

    private func readMore() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 4096)
        guard isReadable(reader), case let count = read(reader, &bytes, bytes.count), count > 0 else { return false }
        output += String(decoding: bytes.prefix(count), as: UTF8.self)
        return true
    }

    /// Its end, when all that it has said is in ``output``; `nil`: it does not end.
    func end() -> ChildProcess.End? {
        guard isReadable(child.pidfd) else { return nil }
        while readMore() {}
        return child.reap()
    }
}
