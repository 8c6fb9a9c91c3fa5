// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import HTTP2

/// Events of the HTTP/2 session: calls that begin, answers to pings, a client that goes away.
extension GRPCConnection: HTTP2SessionDelegate {
    public func session(_ session: HTTP2Session, opened stream: HTTP2Stream, headers: HTTP2Headers) {
        switch GRPCRequest.judge(headers) {
        case .refusedHTTP(let answer, let refusal):
            server.statistics.countRefused(refusal)
            session.respond(stream, answer, isEnd: true)
        case .refused(let status, let refusal):
            let request = GRPCRequest(path: "", timeoutNanoseconds: nil, metadata: [:])
            makeCall(request, stream).fail(status, refusal)
        case .accepted(let request):
            accept(request, stream)
        }
    }

    private func accept(_ request: GRPCRequest, _ stream: HTTP2Stream) {
        let call = makeCall(request, stream)
        let handler = server.service.open(call)
        call.forgetMetadata()
        if let handler {
            call.open(handler, timeoutNanoseconds: request.timeoutNanoseconds)
        } else {
            call.fail(GRPCStatus(.unimplemented, "unknown method \(request.path)"), .unknownPath)
        }
    }

    private func makeCall(_ request: GRPCRequest, _ stream: HTTP2Stream) -> GRPCCall {
        let call = GRPCCall(request: request, stream: stream, connection: self, server: server)
        stream.delegate = call
        calls[stream.id] = call
        return call
    }

    func removed(_ call: GRPCCall, wasFinished: Bool) {
        calls[call.stream.id] = nil
        if wasFinished { finishedCalls -= 1 }
    }

    public func session(_ session: HTTP2Session, receivedPingAnswer payload: UInt64) {
        pings.removeValue(forKey: payload)?.done(true)
    }

    public func session(_ session: HTTP2Session, receivedGoAway error: HTTP2ErrorCode, lastStreamID: Int32) {
        hasPeerGoneAway = true
    }

    public func sessionReceivedSettings(_ session: HTTP2Session) { hasSpokenHTTP2 = true }
}
