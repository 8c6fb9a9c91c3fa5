// SPDX-License-Identifier: Apache-2.0
import DequeModule
import HTTPServer
import NIOCore
import Platform
import RingMessages

/// One profile on its way from an agent to a client.
///
/// The agent must not wait for the client (its heartbeats would wait too), so what the client does not take in a moment goes
/// through the spool file. In order come: what waits in memory here, what is in the file, what waits to be written to it.
/// A byte is taken, and credited to the agent's side, when it is with the HTTP server or in the file.
final class Download: ProfileReceiver {
    /// The limit of bytes in memory for a client that is behind.
    static let memoryBytes = 512 * 1024
    /// How long more than that may wait, up to ``FetchCredit/windowBytes``, before it goes to the file. Chunks come in
    /// bursts: a client that keeps up takes them in less, and saves the way through the file.
    static let spillDelay = TimeAmount.milliseconds(20)
    /// Bytes that are read from the file ahead of the client.
    static let readAheadBytes = 256 * 1024
    /// Credit is told in steps of so much, a fraction of the window.
    static let creditStepBytes: UInt64 = 256 * 1024
    /// A client that takes nothing for so long is cut off.
    static let writeTimeout = TimeAmount.seconds(30)
    static let contentType = "application/octet-stream"

    private enum Phase {
        /// The spool file is being made.
        case preparing
        /// The agent was asked; nothing has come.
        case asked
        /// The answer has begun.
        case streaming
        case over
    }

    let request: DownloadRequest
    /// Nil until the agent was asked.
    private(set) var number: UInt64?

    private unowned let owner: Downloads
    private let responder: HTTPResponder
    /// Answers in another way when nothing has come of the agent, or calls what it is given.
    private let instead: ((_ otherwise: @escaping () -> Void) -> Void)?
    private let spool: SpoolFile
    private var phase = Phase.preparing
    private var memory: Deque<SpoolPiece> = []
    private var memoryUsedBytes = 0
    private var receivedBytes: UInt64 = 0
    private var takenBytes: UInt64 = 0
    private var creditedBytes: UInt64 = 0
    /// Ingest has said how it ended: it knows nothing of this download any more.
    private var isEnded = false
    private var spill: Scheduled<Void>?

    init(
        _ request: DownloadRequest, _ responder: HTTPResponder, owner: Downloads,
        instead: ((_ otherwise: @escaping () -> Void) -> Void)?
    ) {
        self.request = request
        self.responder = responder
        self.instead = instead
        self.owner = owner
        spool = SpoolFile(
            space: owner.space, source: responder.request.source, thread: owner.thread, pool: owner.pool)
    }

    /// To be called once.
    func begin() {
        responder.onClose = { [weak self] in self?.clientGone() }
        spool.onWritten = { [unowned self] byteCount in
            took(UInt64(byteCount))
            readAhead()
        }
        spool.onRead = { [unowned self] piece in
            memory.append(piece)
            memoryUsedBytes += piece.byteCount
            responder.resumeBody()
            readAhead()
        }
        spool.onFailure = { [unowned self] failure in spoolFailed(failure) }
        spool.open(expecting: request.expectedBytes) { [self] failure in
            guard phase == .preparing else { return }
            if let failure { return spoolFailed(failure) }
            ask()
        }
    }

    private func ask() {
        guard let number = owner.line.start(request.command, worker: request.worker) else {
            return fail(.workerBusy)
        }
        self.number = number
        phase = .asked
        owner.asked(self, number: number)
    }

    // MARK: From ingest

    func chunkArrived(offset: UInt64, _ payload: RawSpan) {
        guard phase == .asked || phase == .streaming, !isEnded else { return }
        guard offset == receivedBytes else {
            return fail(.outOfOrder(offset: offset, expected: receivedBytes))
        }
        guard payload.byteCount > 0 else { return }
        receivedBytes += UInt64(payload.byteCount)
        if spool.isEmpty {
            keep(payload)
            boundMemory()
        } else {
            spool.append(payload)
        }
        if phase == .asked {
            owner.deliveries.add { [self] in answerWithChunks() }
        } else {
            responder.resumeBody()
        }
    }

    func ended(_ ending: FetchEnding, byteCount: UInt64) {
        guard phase != .over, !isEnded else { return }
        isEnded = true
        // A ring may lose its last chunks as well as others.
        if ending.cause == .complete, byteCount > 0, byteCount != receivedBytes {
            return fail(.incomplete(byteCount: receivedBytes, of: byteCount))
        }
        guard ending.cause == .complete else { return fail(DownloadRefusal(ending)) }
        spool.expectsNoMore()
        if phase == .asked, receivedBytes == 0 {
            owner.deliveries.add { [self] in answerWithNothing() }
        } else {
            responder.resumeBody()
        }
    }

    func workerLost() {
        // A download that has come as a whole needs no worker.
        guard !isEnded else { return }
        isEnded = true
        fail(.workerLost)
    }

    /// The exporter drains: an answer that has begun goes on for as long as the HTTP server lets it.
    func drain() {
        guard phase != .streaming else { return }
        fail(DownloadRefusal(FetchEnding(.draining)))
    }

    // MARK: To the client

    private func answerWithChunks() {
        if phase == .asked { answer(.producer(DownloadBody(download: self))) }
    }

    private func answerWithNothing() {
        guard phase == .asked else { return }
        answer(.empty)
        complete()
    }

    private func answer(_ body: HTTPBody) {
        phase = .streaming
        responder.respond(
            status: 200, contentType: Self.contentType, headers: request.headers, body: body,
            writeTimeout: Self.writeTimeout)
    }

    func produce(into buffer: inout ByteBuffer, targetBytes: Int) -> HTTPBodyProgress {
        guard phase == .streaming else { return .failed }
        var given = 0
        var direct: UInt64 = 0
        while given < targetBytes, let piece = memory.first {
            let count = piece.move(atMost: targetBytes - given, to: &buffer)
            given += count
            if !piece.isTaken { direct += UInt64(count) }
            guard piece.byteCount == 0 else { continue }
            memory.removeFirst()
            owner.pool.giveBack(piece)
        }
        memoryUsedBytes -= given
        owner.statistics.bytes += UInt64(given)
        took(direct)
        readAhead()
        if !memory.isEmpty { return .more }
        guard isEnded, spool.isEmpty else { return .waiting }
        complete()
        return .done
    }

    private func readAhead() {
        if memoryUsedBytes < Self.readAheadBytes { spool.readNext() }
    }

    private func took(_ byteCount: UInt64) {
        takenBytes += byteCount
        guard let number, !isEnded, takenBytes - creditedBytes >= Self.creditStepBytes else { return }
        creditedBytes = takenBytes
        owner.line.credit(number: number, takenBytes: takenBytes, worker: request.worker)
    }

    // MARK: Memory

    private func keep(_ payload: RawSpan) {
        var offset = 0
        while offset < payload.byteCount {
            let piece: SpoolPiece
            if let last = memory.last, last.roomBytes > 0, !last.isTaken {
                piece = last
            } else {
                piece = owner.pool.take()
                memory.append(piece)
            }
            let count = min(piece.roomBytes, payload.byteCount - offset)
            piece.bytes.writeBytes(payload.extracting(offset..<offset + count))
            offset += count
        }
        memoryUsedBytes += payload.byteCount
    }

    private func boundMemory() {
        guard memoryUsedBytes > Self.memoryBytes else { return }
        if memoryUsedBytes > Int(FetchCredit.windowBytes) { return spillOver() }
        guard spill == nil else { return }
        spill = owner.loop.assumeIsolated().scheduleTask(in: Self.spillDelay) { [weak self] in
            self?.spill = nil
            self?.spillOver()
        }
    }

    /// Moves what is too much for the memory to the file, in its order.
    private func spillOver() {
        guard phase == .asked || phase == .streaming, spool.isEmpty else { return }
        var surplus: [SpoolPiece] = []
        while memoryUsedBytes > Self.memoryBytes, let piece = memory.popLast() {
            // The bytes read back are fewer than the memory may hold, and stand before those that came later.
            precondition(!piece.isTaken, "bytes from the spool file on their way back into it")
            memoryUsedBytes -= piece.byteCount
            surplus.append(piece)
        }
        for piece in surplus.reversed() { spool.append(piece) }
    }

    // MARK: Ends

    private func complete() {
        owner.statistics.completed += 1
        close()
    }

    private func clientGone() {
        guard phase != .over else { return }
        if owner.isDraining {
            owner.statistics.failures[.draining, default: 0] += 1
        } else {
            owner.statistics.clientsGone += 1
        }
        close()
    }

    private func spoolFailed(_ failure: SpoolFile.Failure) {
        fail(DownloadRefusal(failure, sizeBytes: max(request.expectedBytes, receivedBytes), space: owner.space))
    }

    /// Says why if the answer has not begun, else cuts it.
    private func fail(_ refusal: DownloadRefusal) {
        guard phase != .over else { return }
        let hasBegun = phase == .streaming
        owner.failed(self, refusal, hasBegun: hasBegun)
        close()
        owner.deliveries.add { [responder, instead] in
            if hasBegun { return responder.cut() }
            let refuse = { refusal.answer(responder) }
            if let instead { instead(refuse) } else { refuse() }
        }
    }

    private func close() {
        phase = .over
        responder.onClose = nil
        spill?.cancel()
        spill = nil
        for piece in memory { owner.pool.giveBack(piece) }
        memory = []
        spool.close()
        if let number, !isEnded { owner.line.drop(number: number, worker: request.worker) }
        owner.remove(self)
    }
}
