// SPDX-License-Identifier: Apache-2.0

extension UInt64 {
    /// How long after `earlier` this time is, both of the same clock; 0 if it is not after it.
    ///
    /// Two times need not come in order: one may have been taken a moment before the other was noted, may stand in
    /// memory that another process writes, or come from a predecessor. A plain difference would end the process then.
    @inlinable public func elapsed(since earlier: UInt64) -> UInt64 { self > earlier ? self - earlier : 0 }
}
