// SPDX-License-Identifier: Apache-2.0
import NIOCore

@testable import GRPCServer

// gRPC's framing: the bytes of one call, cut into DATA frames in any way, give the same messages as in one piece. An
// input is the limit of a message, the sizes of four chunks that follow each other in turn, and the bytes.

extension FuzzTarget {
    static let grpcMessages = FuzzTarget("grpc-messages", seeds: GRPCMessages.seeds) { bytes in
        var input = FuzzInput(bytes)
        let limit = 1 + input.below(1 << 12)
        let sizes = (0..<4).map { _ in 1 + input.below(600) }
        let stream = input.rest()
        let whole = GRPCMessages.cut(stream, into: [stream.count + 1], limit: limit)
        let pieces = GRPCMessages.cut(stream, into: sizes, limit: limit)
        try hold(whole == pieces, "in one piece \(whole), in chunks \(pieces)")
        try hold(whole == GRPCMessages.Result(reading: stream, limit: limit), "it does not read what stands there")
        try hold(whole.messages.allSatisfy { $0.count <= limit }, "a message is longer than its limit of \(limit)")
    }
}

private enum GRPCMessages {
    struct Result: Equatable {
        var messages: [[UInt8]] = []
        var hasFailed = false
        /// The stream ends inside a message.
        var isInMessage = false
    }

    static func cut(_ stream: [UInt8], into sizes: [Int], limit: Int) -> Result {
        let pool = BufferPool()
        var assembler = MessageAssembler(maxMessageBytes: limit)
        var result = Result()
        var rest = stream[...]
        var number = 0
        while !rest.isEmpty, !result.hasFailed {
            let chunk = Array(rest.prefix(sizes[number % sizes.count]))
            rest = rest.dropFirst(chunk.count)
            number += 1
            take(chunk, &assembler, pool, &result)
        }
        result.isInMessage = assembler.isInMessage && !result.hasFailed
        assembler.drop(into: pool)
        return result
    }

    private static func take(
        _ chunk: [UInt8], _ assembler: inout MessageAssembler, _ pool: BufferPool, _ result: inout Result
    ) {
        var offset = 0
        while true {
            switch assembler.next(in: chunk.span.bytes, at: &offset, pool: pool) {
            case .inPlace(let range): result.messages.append(Array(chunk[range]))
            case .assembled(let buffer):
                result.messages.append(Array(buffer.readableBytesView))
                pool.give(buffer)
            case .needsMore: return
            case .failed:
                result.hasFailed = true
                return
            }
        }
    }

    static let seeds: [[UInt8]] = [
        [255, 15, 1, 0, 2, 0, 3, 0, 4, 0] + GRPCSeeds.frame([1, 2, 3]) + GRPCSeeds.frame([])
            + GRPCSeeds.frame(Array(repeating: 7, count: 300)),
        [10, 0, 4, 0, 1, 0, 255, 1, 9, 0] + GRPCSeeds.frame([1]) + GRPCSeeds.frame(Array(repeating: 7, count: 12)),
        [255, 15, 1, 0, 1, 0, 1, 0, 1, 0] + GRPCSeeds.frame([1]) + [1, 0, 0, 0, 1, 9] + [2, 0, 0],
    ]
}

extension GRPCMessages.Result {
    /// Naively: a flag, four bytes of length, the message.
    init(reading stream: [UInt8], limit: Int) {
        var rest = stream[...]
        while rest.count >= 5 {
            let head = Array(rest.prefix(5))
            let length = head[1...].reduce(0) { $0 << 8 | Int($1) }
            guard head[0] == 0, length <= limit else {
                hasFailed = true
                return
            }
            guard rest.count - 5 >= length else { break }
            messages.append(Array(rest.dropFirst(5).prefix(length)))
            rest = rest.dropFirst(5 + length)
        }
        isInMessage = !rest.isEmpty
    }
}
