// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// A request that is being answered, and how far its answer is.
struct RingMessages {
    let path: String?
    let isHead: Bool
    let isVersion10: Bool
    let acceptsGzip: Bool
    let startedAt: NIODeadline
    /// nil when the server answers by itself.
    let responder: HTTPResponder?

    var keepsAlive: Bool
    /// 0 until the answer has begun.
    var status = 0
    var bytesSent = 0
    /// Bytes of the status line that were sent ahead (``StatusLinePrefix``).
    var probeByteCount = 0
    /// In place of the server's.
    var writeTimeout: TimeAmount?

    init(admission: RequestAdmission, responder: HTTPResponder?, startedAt: NIODeadline) {
        path = admission.request?.path
        isHead = admission.isHead
        isVersion10 = admission.isVersion10
        acceptsGzip = admission.request?.acceptsGzip ?? false
        keepsAlive = admission.keepsAlive
        self.responder = responder
        self.startedAt = startedAt
    }

    /// For a request that was not understood far enough to know more of it.
    init(unadmittedHead: Bool, startedAt: NIODeadline) {
        path = nil
        isHead = unadmittedHead
        isVersion10 = false
        acceptsGzip = false
        keepsAlive = false
        responder = nil
        self.startedAt = startedAt
    }

    var hasBegun: Bool { status != 0 }
}

/// The body that is being streamed into an exchange.
final class BodyStream {
    var producer: any HTTPBodyProducer
    let isChunked: Bool
    /// Of a body of known length what is still to come.
    var remainingBytes: Int?
    var isWaiting = false

    init(producer: any HTTPBodyProducer, isChunked: Bool, remainingBytes: Int?) {
        self.producer = producer
        self.isChunked = isChunked
        self.remainingBytes = remainingBytes
    }
}
