// SPDX-License-Identifier: Apache-2.0

extension RawSpan {
    /// The bytes as an array, for generated code and small payloads; not for the hot path.
    public var copiedBytes: [UInt8] {
        // Safe: the array is made before the closure returns the borrowed bytes.
        withUnsafeBytes { Array($0) }
    }
}
