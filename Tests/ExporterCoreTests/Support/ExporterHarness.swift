// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import NIOCore
import NIOPosix
import Platform
import RingMessages
import Rings
import Settings
import TestSupport
import WorkerLink

@testable import ExporterCore

/// The whole exporter on a loop of its own; the test is the supervisor and the ingest workers.
final class ExporterHarness: @unchecked Sendable {
    let control: WorkerTableWriter
    let port: UInt16
    private(set) var exporters: [ExporterWorker] = []
    private let controlDescriptor: Int32
    private let state: Int32
    private let listener: Int32
    private let settings: ProxySettings
    private let makeFeatures: (FeatureContext) throws -> [any Feature]
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    init(
        staleGrace: String = "15s", blackBox: String? = nil,
        makeFeatures: @escaping (FeatureContext) throws -> [any Feature] = ExporterFeatures.make
    ) throws {
        self.makeFeatures = makeFeatures
        settings = try ProxySettings(
            flagValues: [
                (.staleGrace, staleGrace), (.lifecycleInterval, "0"), (.spoolDirectory, "/tmp"),
            ] + (blackBox.map { [(.blackBoxDirectory, $0)] } ?? []))
        let writable = try WorkerTableFile.create()
        controlDescriptor = try MemoryFile.reopenReadOnly(writable)
        control = try WorkerTableWriter(descriptor: writable)
        MemoryFile.close(writable)
        state = try RingFile.create(name: "fake-state", kind: .state)
        (listener, port) = openListener()
    }

    deinit {
        for exporter in exporters {
            try? run {
                exporter.web.server.stopAccepting()
                exporter.web.server.closeAll()
            }
        }
        close(listener)
        group.shutdownGracefully { _ in }
    }

    /// Starts an exporter with these workers, which run from now on.
    @discardableResult
    func start(_ workers: [FakeIngest], generation: UInt64 = 1, suspects: [UInt64] = []) throws -> ExporterWorker {
        let rings = try workers.map { try $0.descriptors() }
        for worker in workers { set(worker, .running) }
        let launch = WorkerLaunch(
            role: .exporter, index: 0, generation: generation, ingestWorkers: workers.count, suspects: suspects,
            settings: settings,
            descriptors: WorkerDescriptors(
                control: controlDescriptor, link: -1, listener: listener, secret: -1,
                rings: .exporter(
                    .init(
                        dataRings: rings.map(\.dataRing), commandRings: rings.map { $0.commandRing! },
                        wakeups: rings.map { $0.wakeup! },
                        state: state, recorderState: state))))
        guard case .exporter(let descriptors) = launch.descriptors.rings else { fatalError("an exporter's rings") }
        let loop = group.next()
        nonisolated(unsafe) let makeFeatures = makeFeatures
        let exporter = try loop.submit {
            try ExporterWorker(
                launch: launch, rings: descriptors, loop: loop,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, revision: "unknown",
                makeFeatures: makeFeatures)
        }.wait()
        try loop.flatSubmit { exporter.start() }.wait()
        exporters.append(exporter)
        return exporter
    }

    func set(_ worker: FakeIngest, _ state: WorkerTableEntry.State, generation: UInt64 = 1) {
        var row = control.worker(.ingest, worker.index)
        row.state = state
        row.generation = generation
        control.set(row, .ingest, worker.index)
        worker.wake()
    }

    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
        try group.next().submit(body).wait()
    }

    func bring(_ worker: FakeIngest) throws {
        set(worker, .running)
        let ring = try worker.descriptors()
        let exporter = exporters[0]
        let index = worker.index
        try run { try exporter.ringArrived(index, ring) }
    }

    func remove(_ index: Int) throws {
        let exporter = exporters[0]
        try run { exporter.ringGone(index) }
    }

    /// Waits until something holds on the loop; half a minute is what only a defect takes.
    func eventually(_ what: String, _ holds: @escaping @Sendable () -> Bool) throws {
        for _ in 0..<15_000 {
            if try run(holds) { return }
            usleep(2000)
        }
        throw DownloadHarness.NeverHappened(what: what)
    }

    /// Asks something; the answer is for ``answer(of:)``.
    func ask(_ path: String, connection: String = "close") -> DownloadClient {
        let client = DownloadClient(port: port)
        client.send("GET \(path) HTTP/1.1\r\nHost: t\r\nConnection: \(connection)\r\n\r\n")
        return client
    }

    func answer(of client: DownloadClient) -> String {
        String(decoding: client.receiveAll().bytes, as: UTF8.self)
    }

    func get(_ path: String) -> String { answer(of: ask(path)) }

    /// A scrape, for which every worker is asked; `during` answers.
    func scrape(_ workers: [FakeIngest], during: ([FakeIngest.Command]) throws -> Void = { _ in }) throws -> String {
        let client = ask("/metrics")
        let commands = try workers.map { try $0.awaitCommand() }
        try during(commands)
        for (worker, command) in zip(workers, commands) { try worker.end(command) }
        return answer(of: client)
    }
}

/// State that tests look into.
extension ExporterWorker {
    var state: ExporterState { core.state }
    var ingestEndpoints: IngestEndpoints { core.ingestEndpoints }
    var workers: WorkerChannels { core.workers }
    var directory: AgentDirectory { core.directory }
    var collections: Collections { feature(MetricsFeature.self).collections }
    var windows: Windows { feature(WindowsFeature.self).windows }
    var answers: AnswerCollections { feature(ReportsFeature.self).sources.collections }

    private func feature<Wanted>(_: Wanted.Type) -> Wanted {
        guard let found = features.lazy.compactMap({ $0 as? Wanted }).first else { fatalError("no such feature") }
        return found
    }
}
