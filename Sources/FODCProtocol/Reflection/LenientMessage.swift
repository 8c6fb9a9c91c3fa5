// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf
public enum LenientMessage {
    public static func parse<M: Message>(_ type: M.Type, _ bytes: RawSpan) throws -> (message: M, repaired: [UInt8]?) {
        let message = try bytes.withUnsafeBytes { try M(serializedBytes: Array($0)) }
        return (message, nil)
    }
}
