// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Reads answers with Foundation, which is the judge of what is JSON.
enum JSONReading {
    static func value(_ json: [UInt8]) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(json))
    }

    static func object(_ json: [UInt8]) throws -> [String: Any] {
        try #require(try value(json) as? [String: Any])
    }

    static func objects(_ json: [UInt8]) throws -> [[String: Any]] {
        try #require(try value(json) as? [[String: Any]])
    }

    /// The same values under the same names, whatever the order of the names.
    static func isEqual(_ one: [UInt8], _ other: String) throws -> Bool {
        let one = try #require(try value(one) as? NSObject)
        return one == (try value(Array(other.utf8)) as? NSObject)
    }
}
