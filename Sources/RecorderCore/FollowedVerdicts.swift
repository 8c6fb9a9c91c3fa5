// SPDX-License-Identifier: Apache-2.0
import Platform
import Reports
import RingMessages
import Rings

/// The exporter's own ring, in which it keeps its verdicts on the nodes' schemas. This is a second reader: the exporter does
/// not wait for it, and only the newest verdicts count.
final class FollowedVerdicts {
    private let descriptor: Int32
    private var reader: RingReader?
    private var begunAtNanoseconds: Int64 = 0

    /// The descriptor is this object's from now on.
    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { MemoryFile.close(descriptor) }

    /// The newest verdicts, if some have come since the last call.
    func next() -> SchemaConsistency? {
        open()
        guard let reader else { return nil }
        var newest: [UInt8]?
        while true {
            let outcome = reader.next { header, payload in
                if header.type == .schemaVerdict { newest = payload.copiedBytes }
            }
            switch outcome {
            case .record, .lapped, .damaged: continue
            case .empty: break
            // Half-written, or damaged: the next look tells.
            case .stalled: break
            }
            break
        }
        return newest.flatMap { SchemaConsistency(encoded: $0.span.bytes) }
    }

    /// The ring may be begun anew.
    private func open() {
        if let reader, reader.formattedAtNanoseconds == begunAtNanoseconds, reader.headerFlaw == nil { return }
        reader = nil
        guard let opened = try? RingReader(descriptor: descriptor, kind: .state), opened.headerFlaw == nil else {
            return
        }
        opened.seekToTail()
        begunAtNanoseconds = opened.formattedAtNanoseconds
        reader = opened
    }
}
