// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf

extension SwiftProtobuf.Message {
    /// The same bytes for the same message in every process: entries of maps are sorted.
    func wireBytes() throws -> [UInt8] {
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        return try serializedBytes(options: options)
    }
}

extension SwiftProtobuf.Google_Protobuf_Timestamp {
    /// - Parameter nanoseconds: since 1970, 0 or more.
    init(nanoseconds: Int64) {
        self.init()
        seconds = nanoseconds / 1_000_000_000
        nanos = Int32(nanoseconds % 1_000_000_000)
    }
}
