// SPDX-License-Identifier: Apache-2.0
import Glibc
import Lanes
import Logging
import NIOCore
import NIOPosix
import Platform
import Settings
import WorkerLink

@testable import IngestCore

/// A whole ingest worker on an event loop of this process, with lanes, control and a listening socket as the supervisor would
/// give it.
final class WorkerOnLoop: @unchecked Sendable {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let launch: WorkerLaunch
    let control: ControlWriter
    let worker: IngestWorker
    private let up: Int32

    init(ringMaxSize: String = "2GiB", streams: [StreamDescription] = StreamDescription.all) throws {
        let memory = try ControlFile.create()
        control = try ControlWriter(descriptor: memory)
        up = try LaneFile.create(name: "test-own", kind: .up)
        let downs = try (0..<2).map { try LaneFile.create(name: "test-down-\($0)", kind: .down) }
        let bells = try (0..<2).map { _ in try Doorbell.makePair() }
        let listener = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        _ = listen(listener, 16)
        let secret = try MemoryFile.create(name: "test-secret", byteCount: LaneUnderAdoption.secretBytes.count)
        let written = LaneUnderAdoption.secretBytes.withUnsafeBytes { pwrite(secret, $0.baseAddress, $0.count, 0) }
        precondition(written == LaneUnderAdoption.secretBytes.count, "the secret is written")
        let wanted = WorkerLaunch(
            role: .ingest, index: 0, generation: 1, ingestWorkers: 1,
            settings: try ProxySettings(flagValues: [(.ringMaxSize, ringMaxSize)]),
            descriptors: WorkerDescriptors(
                control: memory, link: memory, listener: listener, secret: secret,
                lanes: .ingest(
                    .init(
                        up: up, downA: downs[0], downB: downs[1], bellA: bells[0].0.descriptor,
                        bellB: bells[1].0.descriptor, otherUps: []))))
        launch = try WorkerLaunch(arguments: ["fodc-ingest"] + wanted.arguments)
        let loop = group.next()
        let launch = launch
        worker = try loop.submit {
            guard case .ingest(let lanes) = launch.descriptors.lanes else { preconditionFailure("it is one of ingest") }
            return try IngestWorker(
                launch: launch, lanes: lanes, loop: loop, logger: Logger(label: "test"), streams: streams)
        }.wait()
        let worker = worker
        try loop.flatSubmit { worker.start() }.wait()
    }

    func reader() throws -> LaneReader { try LaneReader(descriptor: up, kind: .up) }

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
            worker.adoptLane(index) { done.succeed() }
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
