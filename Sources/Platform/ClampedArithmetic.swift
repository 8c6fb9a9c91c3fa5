// SPDX-License-Identifier: Apache-2.0

/// For times and counts that come from outside: any number may stand there, and a sum that leaves its type must not end the
/// process.
extension FixedWidthInteger {
    /// The sum, clamped to the range of the type.
    @inlinable
    public func addingClamped(_ other: Self) -> Self {
        let (sum, isOver) = addingReportingOverflow(other)
        return isOver ? (other < 0 ? .min : .max) : sum
    }

    /// The difference, clamped to the range of the type.
    @inlinable
    public func subtractingClamped(_ other: Self) -> Self {
        let (difference, isOver) = subtractingReportingOverflow(other)
        return isOver ? (other < 0 ? .max : .min) : difference
    }
}
