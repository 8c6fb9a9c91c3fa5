// SPDX-License-Identifier: Apache-2.0
import Platform
import Testing

@testable import ExporterCore

/// The part of `--spool-max-size` that one address may have.
@Suite struct SpoolSpaceTests {
    private let space = SpoolSpace(folder: nil, maximumBytes: 100)
    private let one = NetworkSource(host: "10.0.0.1")
    private let two = NetworkSource(host: "10.0.0.2")

    @Test func spoolSpace_firstDownloadOfAnAddressMayHaveAll() {
        #expect(space.reserve(100, of: one))
        #expect(!space.reserve(1, of: two) && space.reservedBytes == 100)
        space.release(100, of: one)
        #expect(space.reserve(100, of: two))
    }

    @Test func spoolSpace_furtherDownloadsLeaveAPartToOthers() {
        #expect(space.reserve(50, of: one))
        #expect(!space.reserve(26, of: one), "a quarter stays")
        #expect(space.reserve(25, of: one))
        #expect(!space.reserve(1, of: one))
        #expect(space.reserve(25, of: two), "it is for those who have none")
        space.release(75, of: one)
        space.release(25, of: two)
        #expect(space.reservedBytes == 0)
    }

    @Test func spoolSpace_oneDownloadMayGrowToAll() {
        #expect(space.reserve(60, of: one))
        #expect(space.reserve(40, of: one, ownBytes: 60))
        #expect(space.reservedBytes == 100)
    }
}
