// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Metrics
import NIOCore
import TestHooks

/// Text that is made piece by piece, from something that does not change: a slow client costs its place in it.
protocol TextCursor {
    /// Appends as much as there is room for; returns whether that was all.
    mutating func render(into output: inout OutputRawSpan) -> Bool
}

extension ExpositionCursor: TextCursor {}
extension WindowsCursor: TextCursor {}

/// A cursor's text as the body of an answer.
struct CursorBody<Cursor: TextCursor>: HTTPBodyProducer {
    private var cursor: Cursor
    private let whenDone: (Cursor) -> Void

    init(_ cursor: Cursor, whenDone: @escaping (Cursor) -> Void = { _ in }) {
        self.cursor = cursor
        self.whenDone = whenDone
    }

    mutating func produce(into buffer: inout ByteBuffer, targetBytes: Int) -> HTTPBodyProgress {
        var isDone = false
        buffer.writeWithOutputRawSpan(minimumWritableBytes: targetBytes) { span in
            isDone = cursor.render(into: &span)
        }
        TestHooks.trapOnPoison(inAnswer: buffer.readableBytesSpan)
        if isDone { whenDone(cursor) }
        return isDone ? .done : .more
    }
}
