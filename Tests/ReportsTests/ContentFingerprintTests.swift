// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import SwiftProtobuf
import Testing

@Suite struct ContentFingerprintTests {
    private func fingerprint(_ bytes: [UInt8]) -> ContentFingerprint {
        ContentFingerprint(ofTimestamped: bytes.span.bytes)
    }

    private func message(seconds: Int64, nanos: Int32, pod: String) throws -> [UInt8] {
        try Banyandb_Fodc_V1_StreamLifecycleRequest.with {
            $0.timestamp = .init(seconds: seconds, nanos: nanos)
            $0.podName = pod
        }.serializedBytes()
    }

    @Test func contentFingerprint_omitsOnlyTheTimestamp() throws {
        let first = try fingerprint(message(seconds: 1, nanos: 0, pod: "a"))
        #expect(try fingerprint(message(seconds: 1_795_397_520, nanos: 836_934_576, pod: "a")) == first)
        #expect(try fingerprint(message(seconds: -1, nanos: -1, pod: "a")) == first)
        #expect(try fingerprint(message(seconds: 1, nanos: 0, pod: "b")) != first)
    }

    @Test func contentFingerprint_includesFieldsThatOnlyResembleTheTimestamp() {
        // A length that goes beyond the message, or that no timestamp has, is content like any other.
        #expect(fingerprint([10, 200]) != fingerprint([10, 201]))
        #expect(fingerprint([10, 5, 1]) != fingerprint([10, 5, 2]))
        #expect(fingerprint([10, 0, 7]) == fingerprint([10, 1, 9, 7]))
        let long: [UInt8] = [10, 30] + [UInt8](repeating: 1, count: 30)
        #expect(fingerprint(long) != fingerprint(long.dropLast() + [2]))
        #expect(fingerprint([]) == fingerprint([]))
        #expect(fingerprint([10]) != fingerprint([]))
    }
}
