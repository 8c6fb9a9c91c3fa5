// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import HTTPServer
import NIOCore
import Platform

/// An answer of any size, as a thread makes it.
struct StreamedAnswer {
    /// The parts that the client is told before the first byte.
    struct Head: Sendable {
        var contentType: String
        var fields: [(String, String)] = []
        var stored = StoredLack()
        var compression = HTTPCompression.whenAccepted
    }

    var head: Head
    /// Hands pieces over until there are no more, or nobody wants more: then it returns false.
    var write: (_ output: ([UInt8]) -> Bool) throws(DatabaseError) -> Bool
}

/// Streams large answers out of the database: each is made by a thread of its own, at the pace of the client.
final class BlackBoxStreams {
    typealias Prepare = @Sendable (BlackBoxReader) throws(BlackBoxRefusal) -> StreamedAnswer

    /// Answers at a time, each with its thread and its points in memory.
    static let mostAtATime = 2
    /// Bytes that a thread is ahead of its client.
    private static let pipeBytes = 1 << 20

    private let path: String
    private let loop: any EventLoop
    private var idle: [JobThread] = []
    /// Cuts the client that takes its answer most slowly; false when none is slow.
    private let cutSlowestReader: () -> Bool

    /// The threads are there from now on: they could not be made when the first request comes at the limit of tasks.
    init(path: String, loop: any EventLoop, cutSlowestReader: @escaping () -> Bool) throws(SystemError) {
        self.path = path
        self.loop = loop
        self.cutSlowestReader = cutSlowestReader
        for number in 0..<Self.mostAtATime { idle.append(try JobThread(name: "box-stream-\(number)")) }
    }

    deinit {
        for thread in idle { thread.stop() }
    }

    /// Answers with what `prepare` makes, or calls `refuse`.
    ///
    /// - Parameter prepare: called on a thread, as is what it returns.
    func begin(
        _ responder: HTTPResponder, _ prepare: @escaping Prepare,
        whenBegun: @escaping (StreamedAnswer.Head) -> Void = { _ in }, refuse: @escaping (BlackBoxRefusal) -> Void
    ) {
        guard let thread = idle.popLast() else {
            // Its place is free in a moment.
            _ = cutSlowestReader()
            return refuse(.busy)
        }
        let stream = NIOLoopBound(Stream(owner: self, thread, responder, whenBegun, refuse), eventLoop: loop)
        let pipe = BlockingPipe(capacityBytes: Self.pipeBytes) { [loop] in
            loop.execute { stream.value.responder.resumeBody() }
        }
        responder.onClose = { pipe.abandon() }
        responder.holdsReport = true
        thread.run { [path, loop] in
            Self.make(path, pipe, prepare) { head in
                loop.execute { stream.value.begin(head, pipe) }
            }
            loop.execute { stream.value.end() }
        }
    }

    /// On a thread.
    private static func make(
        _ path: String, _ pipe: BlockingPipe, _ prepare: Prepare,
        begin: (Result<StreamedAnswer.Head, BlackBoxRefusal>) -> Void
    ) {
        let answer: StreamedAnswer
        do throws(BlackBoxRefusal) {
            answer = try prepare(try BlackBoxReader.open(path))
        } catch {
            return begin(.failure(error))
        }
        begin(.success(answer.head))
        do throws(DatabaseError) {
            pipe.end(try answer.write { pipe.write($0) } ? .complete : .failed)
        } catch {
            // The client has a part of it; the connection is cut, so that it does not pass for the whole.
            pipe.end(.failed)
        }
    }

    /// An answer under way. On the event loop.
    private final class Stream {
        let owner: BlackBoxStreams
        let thread: JobThread
        let responder: HTTPResponder
        let whenBegun: (StreamedAnswer.Head) -> Void
        let refuse: (BlackBoxRefusal) -> Void

        init(
            owner: BlackBoxStreams, _ thread: JobThread, _ responder: HTTPResponder,
            _ whenBegun: @escaping (StreamedAnswer.Head) -> Void, _ refuse: @escaping (BlackBoxRefusal) -> Void
        ) {
            (self.owner, self.thread, self.responder) = (owner, thread, responder)
            (self.whenBegun, self.refuse) = (whenBegun, refuse)
        }

        func begin(_ head: Result<StreamedAnswer.Head, BlackBoxRefusal>, _ pipe: BlockingPipe) {
            switch head {
            case .failure(let refusal):
                responder.onClose = nil
                responder.holdsReport = false
                refuse(refusal)
            case .success(let head):
                whenBegun(head)
                responder.respond(
                    status: 200, contentType: head.contentType, headers: head.fields + head.stored.headers,
                    body: .producer(PipeBody(pipe)), compression: head.compression)
            }
        }

        func end() { owner.idle.append(thread) }
    }
}

/// The bytes of a pipe as the body of an answer.
private struct PipeBody: HTTPBodyProducer {
    let pipe: BlockingPipe

    init(_ pipe: BlockingPipe) {
        self.pipe = pipe
    }

    func produce(into buffer: inout ByteBuffer, targetBytes: Int) -> HTTPBodyProgress {
        switch pipe.read(atMost: targetBytes, { buffer.writeBytes($0.copiedBytes) }) {
        case .more: .more
        case .waiting: .waiting
        case .complete: .done
        case .failed: .failed
        }
    }
}
