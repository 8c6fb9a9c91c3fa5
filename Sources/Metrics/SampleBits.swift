// SPDX-License-Identifier: Apache-2.0

/// Values are kept as bit patterns, so that no NaN is changed on its way.
enum SampleBits {
    /// Prometheus's stale marker: the series was not in the answer.
    static let stale: UInt64 = 0x7ff0_0000_0000_0002
    /// Prometheus's ordinary NaN. An agent's NaN that happens to have the stale pattern becomes this one.
    static let ordinaryNaN: UInt64 = 0x7ff8_0000_0000_0001

    /// An agent's value, as it is stored.
    @inline(__always)
    static func received(_ bits: UInt64) -> UInt64 { bits == stale ? ordinaryNaN : bits }

    /// Is `new` to replace `old`, of the same series in the same message? The larger value counts, and any number is
    /// larger than NaN.
    static func isLarger(_ new: UInt64, than old: UInt64) -> Bool {
        let newValue = Double(bitPattern: new)
        let oldValue = Double(bitPattern: old)
        return oldValue.isNaN ? !newValue.isNaN : newValue > oldValue
    }
}
