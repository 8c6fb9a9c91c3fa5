// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import GRPCServer
import RingMessages
import Rings
import TransportSecurity

/// Copies the gRPC server's statistics into the words of the ring. They begin at zero with the process, the words go
/// on where the predecessor left them.
final class TransportCounters: IngestFeature {
    private let ring: RingWriter
    private let server: GRPCServer
    private var last = GRPCStatistics()

    init(ring: RingWriter, server: GRPCServer) {
        self.ring = ring
        self.server = server
    }

    func tick(nowNanoseconds: UInt64) { publish(server.statistics) }

    private func publish(_ now: GRPCStatistics) {
        add(.grpcBytesIn, now.bytesReceived - last.bytesReceived)
        add(.grpcBytesOut, now.bytesSent - last.bytesSent)
        add(.grpcMessagesIn, now.messagesReceived - last.messagesReceived)
        add(.grpcMessagesOut, now.messagesSent - last.messagesSent)
        add(.connectionsAccepted, now.connectionsAccepted - last.connectionsAccepted)
        add(.acceptsFailed, now.acceptsFailed - last.acceptsFailed)
        add(.sourcesRefused, now.sourcesRefused - last.sourcesRefused)
        add(.handshakes, now.handshakes - last.handshakes)
        for (index, failure) in HandshakeFailure.allCases.enumerated() {
            add(
                word: IngestCounter.firstHandshakeFailure + index,
                now.handshakesFailed(failure) - last.handshakesFailed(failure))
        }
        for code in 0..<IngestCounter.statusCodes {
            let status = GRPCStatusCode(rawValue: code)
            add(word: IngestCounter.firstStreamEnd + code, now.callsEnded(status) - last.callsEnded(status))
        }
        for end in GRPCConnectionEnd.allCases {
            add(
                word: IngestCounter.firstConnectionEnd + end.rawValue,
                now.connectionsClosed(end) - last.connectionsClosed(end))
        }
        for refusal in GRPCCallRefusal.allCases {
            add(
                word: IngestCounter.firstCallRefusal + refusal.rawValue, now.refused(refusal) - last.refused(refusal))
        }
        ring.setCounter(IngestCounter.assemblyBytes.rawValue, UInt64(clamping: now.assemblyBytes))
        ring.setCounter(IngestCounter.assemblyBytesPeak.rawValue, UInt64(clamping: now.assemblyPeakBytes))
        last = now
    }

    private func add(_ counter: IngestCounter, _ n: Int) { add(word: counter.rawValue, n) }

    private func add(word: Int, _ n: Int) {
        if n > 0 { ring.addCounter(word, UInt64(n)) }
    }
}
