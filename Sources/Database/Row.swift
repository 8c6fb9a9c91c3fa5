// SPDX-License-Identifier: Apache-2.0
import Platform

/// The present row of a result. It is valid until ``Database/query(_:_:row:)`` goes on to the next.
public struct Row {
    private let statement: Statement
    private let rowNumber: UInt64

    init(_ statement: Statement) {
        self.statement = statement
        rowNumber = statement.rowNumber
    }

    private var present: Statement {
        precondition(statement.rowNumber == rowNumber, "a row is read before the next one comes")
        return statement
    }

    public func isNull(_ column: Int) -> Bool { present.isNull(Int32(column)) }
    /// 0 for NULL.
    public func integer(_ column: Int) -> Int64 { present.integer(Int32(column)) }
    /// Empty for NULL. Bytes that are not UTF-8 become U+FFFD.
    public func text(_ column: Int) -> String { present.text(Int32(column)) }
    public func optionalInteger(_ column: Int) -> Int64? { isNull(column) ? nil : integer(column) }
    public func optionalText(_ column: Int) -> String? { isNull(column) ? nil : text(column) }
    /// Empty for NULL.
    public func bytes(_ column: Int) -> [UInt8] { present.withBytes(Int32(column)) { $0.copiedBytes } }
    /// Lends the bytes for the length of `body`, without a copy.
    public func withBytes<Result>(_ column: Int, _ body: (RawSpan) -> Result) -> Result {
        present.withBytes(Int32(column), body)
    }
}
