// SPDX-License-Identifier: Apache-2.0
import Platform
import Testing

@testable import Rings

/// Quarantined identities, in the table that all workers see.
@Suite struct QuarantinedIdentityTests {
    /// Places are few: one that comes again and again must not drive the others out.
    @Test func workerTable_holdsAQuarantinedIdentityOnce() throws {
        let descriptor = try WorkerTableFile.create()
        defer { MemoryFile.close(descriptor) }
        let writer = try WorkerTableWriter(descriptor: descriptor)
        for hash in [5, 6, 7] as [UInt64] { writer.quarantine(identityHash: hash, untilNanoseconds: 100) }
        for until in [300, 200] as [UInt64] { writer.quarantine(identityHash: 6, untilNanoseconds: until) }
        #expect(writer.heldIdentities.map(\.hash).sorted() == [5, 6, 7])
        #expect(writer.heldIdentities.first { $0.hash == 6 }?.untilNanoseconds == 200, "the last word counts")
    }
}
