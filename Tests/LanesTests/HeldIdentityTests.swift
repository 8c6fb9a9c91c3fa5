// SPDX-License-Identifier: Apache-2.0
import Platform
import Testing

@testable import Lanes

/// Quarantined identities, in the table that all workers see.
@Suite struct HeldIdentityTests {
    /// Places are few: one that comes again and again must not drive the others out.
    @Test func identity_hasOnePlace_howeverOftenItIsHeldOff() throws {
        let descriptor = try ControlFile.create()
        defer { MemoryFile.close(descriptor) }
        let writer = try ControlWriter(descriptor: descriptor)
        for hash in [5, 6, 7] as [UInt64] { writer.holdOff(identityHash: hash, untilNanoseconds: 100) }
        for until in [300, 200] as [UInt64] { writer.holdOff(identityHash: 6, untilNanoseconds: until) }
        #expect(writer.heldIdentities.map(\.hash).sorted() == [5, 6, 7])
        #expect(writer.heldIdentities.first { $0.hash == 6 }?.untilNanoseconds == 200, "the last word counts")
    }
}
