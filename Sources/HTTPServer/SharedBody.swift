// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// A body that is made once and read by several answers, each at its own pace.
///
/// The client that is furthest makes the next piece. Pieces are kept for those who come later, as long as anybody reads:
/// overlapping scrapes share one rendering and one compression. It takes `maximumKeptBytes` at most: beyond, what all
/// have read is dropped, so that nobody can join any more, and a reader that is further behind than that fails, as
/// otherwise the slowest client would decide how much memory is used.
///
/// A source may not say `.waiting`. Everything on one event loop.
public final class SharedBody {
    /// Twice the compressed answer of a million series.
    public static let defaultMaximumKeptBytes = 64 * 1024 * 1024

    private var source: (any HTTPBodyProducer)?
    private let maximumKeptBytes: Int
    private var chunks: [ByteBuffer] = []
    /// How many chunks have been dropped from the front.
    private var droppedChunkCount = 0
    private var outcome: HTTPBodyProgress?
    private var hasHadReaders = false

    /// How many answers read it now.
    public private(set) var readerCount = 0

    /// Bytes that are kept at present.
    public private(set) var keptBytes = 0

    public init(_ source: any HTTPBodyProducer, maximumKeptBytes: Int = SharedBody.defaultMaximumKeptBytes) {
        self.source = source
        self.maximumKeptBytes = maximumKeptBytes
    }

    /// A body for one more answer, from the beginning; nil when it is too late for that: the beginning is dropped, or
    /// the last reader has gone and with it all that was kept.
    public func makeReader() -> (any HTTPBodyProducer)? {
        guard droppedChunkCount == 0, readerCount > 0 || !hasHadReaders else { return nil }
        hasHadReaders = true
        readerCount += 1
        return Reader(position: Reader.Position(body: self))
    }

    private var endIndex: Int { droppedChunkCount + chunks.count }

    private func read(_ position: Reader.Position, into buffer: inout ByteBuffer, targetBytes: Int) -> HTTPBodyProgress
    {
        let end = buffer.readableBytes + targetBytes
        if position.chunkIndex == endIndex, outcome == nil { makeChunk(targetBytes: targetBytes) }
        // At most one piece is made in a call: it may be the work of some milliseconds.
        while buffer.readableBytes < end, position.chunkIndex < endIndex {
            guard position.chunkIndex >= droppedChunkCount else { return .failed }
            var chunk = chunks[position.chunkIndex - droppedChunkCount]
            chunk.moveReaderIndex(forwardBy: position.chunkOffset)
            let wanted = min(chunk.readableBytes, end - buffer.readableBytes)
            if var part = chunk.readSlice(length: wanted) { buffer.writeBuffer(&part) }
            position.chunkOffset += wanted
            if chunk.readableBytes == 0 {
                position.chunkIndex += 1
                position.chunkOffset = 0
            }
        }
        return position.chunkIndex == endIndex ? outcome ?? .more : .more
    }

    private func makeChunk(targetBytes: Int) {
        var chunk = ByteBuffer()
        chunk.reserveCapacity(targetBytes + HTTPServer.sliceHeadroomBytes)
        switch source?.produce(into: &chunk, targetBytes: targetBytes) {
        case .more: break
        case .done: outcome = .done
        case .failed, .waiting, nil: outcome = .failed
        }
        if outcome != nil { source = nil }
        guard chunk.readableBytes > 0 else { return }
        // A compressed piece may be far smaller than its room.
        if chunk.readableBytes < chunk.storageCapacity / 2 {
            var fitting = ByteBuffer()
            fitting.reserveCapacity(chunk.readableBytes)
            fitting.writeBuffer(&chunk)
            chunk = fitting
        }
        keptBytes += chunk.readableBytes
        chunks.append(chunk)
        dropOldest()
    }

    /// Keeps within the bound. A reader that had still to read what goes fails when it comes to it.
    private func dropOldest() {
        while keptBytes > maximumKeptBytes, chunks.count > 1 {
            keptBytes -= chunks.removeFirst().readableBytes
            droppedChunkCount += 1
        }
    }

    private func readerEnded() {
        readerCount -= 1
        guard readerCount == 0 else { return }
        source = nil
        chunks = []
        keptBytes = 0
    }
}

extension SharedBody {
    private struct Reader: HTTPBodyProducer {
        final class Position {
            var chunkIndex = 0
            var chunkOffset = 0
            let body: SharedBody

            init(body: SharedBody) {
                self.body = body
            }

            deinit {
                body.readerEnded()
            }
        }

        let position: Position

        func produce(into buffer: inout ByteBuffer, targetBytes: Int) -> HTTPBodyProgress {
            position.body.read(position, into: &buffer, targetBytes: targetBytes)
        }
    }
}
