// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import NIOCore
import NIOPosix
import Platform
import Rings
import Settings
import WorkerLink

@testable import IngestCore

/// A whole ingest worker on an event loop of this process, with rings, control and a listening socket as the supervisor would
/// give it.
final class WorkerOnLoop: @unchecked Sendable {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let launch: WorkerLaunch
    let control: WorkerTableWriter
    let worker: IngestWorker
    private let dataRing: Int32

    init(ringMaxSize: String = "2GiB", streams: [StreamDescription] = StreamDescription.all) throws {
        let memory = try WorkerTableFile.create()
        control = try WorkerTableWriter(descriptor: memory)
        dataRing = try RingFile.create(name: "test-own", kind: .data)
        let commandRings = try (0..<2).map { try RingFile.create(name: "test-down-\($0)", kind: .command) }
        let wakeups = try (0..<2).map { _ in try WakeupChannel.makePair() }
        let listener = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        _ = listen(listener, 16)
        let secret = try MemoryFile.create(name: "test-secret", byteCount: RingUnderAdoption.secretBytes.count)
        let written = RingUnderAdoption.secretBytes.withUnsafeBytes { pwrite(secret, $0.baseAddress, $0.count, 0) }
        precondition(written == RingUnderAdoption.secretBytes.count, "the secret is written")
        let wanted = WorkerLaunch(
            role: .ingest, index: 0, generation: 1, ingestWorkers: 1,
            settings: try ProxySettings(flagValues: [(.ringMaxSize, ringMaxSize)]),
            descriptors: WorkerDescriptors(
                control: memory, link: memory, listener: listener, secret: secret,
                rings: .ingest(
                    .init(
                        dataRing: dataRing, commandA: commandRings[0], commandB: commandRings[1],
                        wakeupA: wakeups[0].0.descriptor,
                        wakeupB: wakeups[1].0.descriptor, otherDataRings: []))))
        launch = try WorkerLaunch(arguments: ["fodc-ingest"] + wanted.arguments)
        let loop = group.next()
        let launch = launch
        worker = try loop.submit {
            guard case .ingest(let rings) = launch.descriptors.rings else { preconditionFailure("it is one of ingest") }
            return try IngestWorker(
                launch: launch, rings: rings, loop: loop, logger: Logger(label: "test"), streams: streams)
        }.wait()
        let worker = worker
        try loop.flatSubmit { worker.start() }.wait()
    }

    func reader() throws -> RingReader { try RingReader(descriptor: dataRing, kind: .data) }

    func onLoop<Result: Sendable>(_ body: @escaping @Sendable (IngestWorker) throws -> Result) throws -> Result {
        let worker = worker
        return try group.next().submit { try body(worker) }.wait()
    }

    /// Orders the adoption, and waits until it is said to be done.
    func adopt(_ index: Int) throws {
        let worker = worker
        let loop = group.next()
        try loop.flatSubmit {
            let done = loop.makePromise(of: Void.self)
            worker.adoptRing(index) { done.succeed() }
            return done.futureResult
        }.wait()
    }

    func stop() throws {
        let worker = worker
        let loop = group.next()
        try loop.flatSubmit {
            let done = loop.makePromise(of: Void.self)
            worker.drain(deadlineNanoseconds: .max) { done.succeed() }
            return done.futureResult
        }.wait()
    }
}
