import Platform
// SPDX-License-Identifier: Apache-2.0
import RingMessages

/// One profile on its way from an agent into memory, to be shown in another form. It is small: a larger one is refused, by
/// its announced size before the agent is asked, or else when it has sent too much.
final class CaptureFetch: ProfileReceiver {
    typealias Outcome = Result<[UInt8], DownloadRefusal>

    let request: DownloadRequest
    private(set) var number: UInt64?

    private unowned let owner: Downloads
    private let limitBytes: Int
    private var bytes: [UInt8] = []
    private var creditedBytes: UInt64 = 0
    /// Ingest has said how it ended: it knows nothing of this fetch any more.
    private var isEnded = false
    /// Nil once it is over.
    private var done: ((Outcome) -> Void)?

    init(
        _ request: DownloadRequest, limitBytes: Int, owner: Downloads, _ done: @escaping (Outcome) -> Void
    ) {
        self.request = request
        self.limitBytes = limitBytes
        self.owner = owner
        self.done = done
    }

    /// To be called once.
    func begin() {
        guard request.expectedBytes <= UInt64(limitBytes) else {
            return fail(.tooLarge(byteCount: request.expectedBytes, limitBytes: limitBytes))
        }
        guard let number = owner.line.start(request.command, worker: request.worker) else {
            return fail(.workerBusy)
        }
        self.number = number
        owner.asked(self, number: number)
    }

    func chunkArrived(offset: UInt64, _ payload: RawSpan) {
        guard done != nil, !isEnded else { return }
        guard offset == UInt64(bytes.count) else {
            return fail(.outOfOrder(offset: offset, expected: UInt64(bytes.count)))
        }
        guard payload.byteCount <= limitBytes - bytes.count else {
            return fail(.tooLarge(byteCount: offset + UInt64(payload.byteCount), limitBytes: limitBytes))
        }
        bytes.append(copying: payload)
        let takenBytes = UInt64(bytes.count)
        guard let number, takenBytes - creditedBytes >= Download.creditStepBytes else { return }
        creditedBytes = takenBytes
        owner.line.credit(number: number, takenBytes: takenBytes, worker: request.worker)
    }

    func ended(_ ending: FetchEnding, byteCount: UInt64) {
        guard done != nil, !isEnded else { return }
        isEnded = true
        guard ending.cause == .complete else { return fail(DownloadRefusal(ending)) }
        // A ring may lose its last chunks as well as others.
        if byteCount > 0, byteCount != UInt64(bytes.count) {
            return fail(.incomplete(byteCount: UInt64(bytes.count), of: byteCount))
        }
        owner.statistics.completed += 1
        finish(.success(bytes))
    }

    func workerLost() {
        isEnded = true
        fail(.workerLost)
    }

    func drain() { fail(DownloadRefusal(FetchEnding(.draining))) }

    /// The client is gone.
    func cancel() {
        guard done != nil else { return }
        owner.statistics.clientsGone += 1
        close()
    }

    private func fail(_ refusal: DownloadRefusal) {
        guard done != nil else { return }
        owner.failed(self, refusal, hasBegun: false)
        finish(.failure(refusal))
    }

    private func finish(_ outcome: Outcome) {
        guard let done else { return }
        close()
        // Chunks come while a ring is read; clients are answered after that.
        owner.deliveries.add { done(outcome) }
    }

    private func close() {
        done = nil
        bytes = []
        if let number, !isEnded { owner.line.drop(number: number, worker: request.worker) }
        owner.remove(self)
    }
}
