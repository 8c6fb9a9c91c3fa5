// SPDX-License-Identifier: Apache-2.0
import Gzip
import NIOCore
import TransportSecurity

extension HTTPConnection {
    /// Answers below this size are not compressed: they fit into a packet as they are.
    private static let minimumCompressedBytes = 1024

    /// Bodies up to this size are compressed in one go, so that their length is known. It takes well under a
    /// millisecond.
    private static let maximumCompressedAtOnceBytes = 256 * 1024

    /// Bodies up to this size are copied behind the head: one write instead of two.
    private static let maximumCopiedBytes = 16 * 1024

    func respond(_ answer: Answer, for responder: HTTPResponder) {
        guard phase == .answering, let exchange, exchange.responder === responder, !exchange.hasBegun else { return }
        begin(compressed(answer, acceptsGzip: exchange.acceptsGzip))
    }

    func cutAnswer(for responder: HTTPResponder) {
        guard phase == .answering, exchange?.responder === responder else { return }
        cut(.bodyFailed)
    }

    /// The server's own answer to what it refuses.
    func answer(_ rejection: RequestRejection) {
        server.rejected(rejection.cause)
        var fields: [(String, String)] = []
        if rejection.status == 405 { fields.append(("Allow", RequestAdmission.allowedMethods)) }
        if rejection.status == 503 { fields.append(("Retry-After", "\(RequestRejection.retryAfterSeconds)")) }
        begin(
            Answer(
                status: rejection.status, contentType: Answer.plainText, fields: fields,
                body: .text(rejection.message + "\n"), compression: .never))
    }

    // MARK: Compression

    private func compressed(_ original: Answer, acceptsGzip: Bool) -> Answer {
        var answer = original
        switch answer.compression {
        case .never:
            return answer
        case .declined:
            break
        case .precompressed:
            answer.fields.append(("Content-Encoding", "gzip"))
        case .whenAccepted:
            if acceptsGzip, let body = Self.gzipped(answer.body) {
                answer.body = body
                answer.fields.append(("Content-Encoding", "gzip"))
            }
        }
        answer.fields.append(("Vary", "Accept-Encoding"))
        return answer
    }

    /// nil when compressing is not worth it.
    private static func gzipped(_ body: HTTPBody) -> HTTPBody? {
        switch body {
        case .bytes(let bytes) where bytes.readableBytes < minimumCompressedBytes:
            return nil
        case .bytes(let bytes) where bytes.readableBytes <= maximumCompressedAtOnceBytes:
            return .bytes(GzipStream.compress(bytes))
        case .bytes(let bytes):
            return .producer(GzipBody(BytesBody(bytes)))
        case .producer(let producer), .sized(let producer, _):
            return .producer(GzipBody(producer))
        case .unmade:
            return nil
        }
    }

    // MARK: The head and what follows it

    private func begin(_ answer: Answer) {
        guard var exchange else { return }
        server.configuration.onWork?()
        exchange.status = answer.status
        exchange.writeTimeout = answer.writeTimeout
        let isBodyless = HTTPStatus.isBodyless(answer.status)
        let framing: BodyFraming =
            switch answer.body {
            case _ where isBodyless: .none
            case .bytes(let bytes): .length(bytes.readableBytes)
            case .sized(_, let byteCount): .length(byteCount)
            case .producer: exchange.isVersion10 ? .untilClose : .chunked
            case .unmade: exchange.isHead ? .none : .length(0)
            }
        if framing == .untilClose { exchange.keepsAlive = false }
        if server.isStopping || server.isRetiring { exchange.keepsAlive = false }
        self.exchange = exchange
        let head = ResponseHead(
            status: answer.status, contentType: isBodyless ? nil : answer.contentType, framing: framing,
            isVersion10: exchange.isVersion10, keepsAlive: exchange.keepsAlive, date: server.currentDate(),
            fields: server.additionalFields.isEmpty ? answer.fields : answer.fields + server.additionalFields)
        var buffer = channel.allocator.buffer(capacity: 512)
        head.write(into: &buffer)
        buffer.moveReaderIndex(forwardBy: exchange.probeByteCount)
        writeProgress = WriteProgress(at: channel.eventLoop.now)
        watchWriting()
        if exchange.isHead || isBodyless { return writeLast(buffer) }
        switch answer.body {
        case .bytes(var bytes):
            if bytes.readableBytes <= Self.maximumCopiedBytes {
                buffer.writeBuffer(&bytes)
                writeLast(buffer)
            } else if isSecured, bytes.readableBytes > TLSServerContext.preferredWriteBytes {
                // All at once would be encrypted at once, into as much memory again.
                write(buffer)
                stream = BodyStream(
                    producer: BytesBody(bytes), isChunked: false, remainingBytes: bytes.readableBytes)
                pump(atMost: 1)
            } else {
                write(buffer)
                writeLast(bytes)
            }
        case .producer(let producer):
            write(buffer)
            stream = BodyStream(producer: producer, isChunked: framing == .chunked, remainingBytes: nil)
            pump(atMost: 1)
        case .unmade:
            writeLast(buffer)
        case .sized(let producer, let byteCount):
            write(buffer)
            stream = BodyStream(producer: producer, isChunked: false, remainingBytes: byteCount)
            pump(atMost: 1)
        }
    }

    /// Puts bytes of the present exchange into the channel, unflushed.
    func write(_ buffer: ByteBuffer, promise: EventLoopPromise<Void>? = nil) {
        exchange?.bytesSent += buffer.readableBytes
        writeProgress.handedBytes += buffer.readableBytes
        server.sent(byteCount: buffer.readableBytes)
        channel.pipeline.syncOperations.write(NIOAny(buffer), promise: promise)
    }

    /// Bytes of answers that have gone into the channel, or out of it.
    func noteUnsent(_ byteCount: Int) {
        unsentBytes += byteCount
        server.unsentBytes += byteCount
    }

    /// The exchange ends when the kernel has taken these, its last bytes.
    func writeLast(_ buffer: ByteBuffer) {
        stream = nil
        let promise = channel.eventLoop.makePromise(of: Void.self)
        let byteCount = buffer.readableBytes
        noteUnsent(byteCount)
        promise.futureResult.assumeIsolated().whenComplete { result in
            self.noteUnsent(-byteCount)
            if case .success = result { self.completeExchange() }
        }
        write(buffer, promise: promise)
        channel.pipeline.syncOperations.flush()
    }

    // MARK: The end of an exchange

    private func completeExchange() {
        guard phase == .answering, let exchange else { return }
        self.exchange = nil
        exchange.responder?.close(isComplete: true)
        server.ended(exchange.end(isComplete: true, now: channel.eventLoop.now))
        answerEnded(keepsAlive: exchange.keepsAlive)
    }

    /// The connection is gone: whoever was making the answer is told.
    func abandonExchange() {
        stream = nil
        guard let exchange else { return }
        self.exchange = nil
        exchange.responder?.close(isComplete: false)
        server.ended(exchange.end(isComplete: false, now: channel.eventLoop.now))
    }
}

extension RingMessages {
    fileprivate func end(isComplete: Bool, now: NIODeadline) -> HTTPRequestEnd {
        HTTPRequestEnd(
            path: path, status: status, durationNanoseconds: UInt64(max(0, (now - startedAt).nanoseconds)),
            bytesSent: bytesSent, isComplete: isComplete)
    }
}
