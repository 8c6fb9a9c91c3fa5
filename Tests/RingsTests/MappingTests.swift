// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Testing

@testable import Rings

@Suite struct MappingTests {
    private func readOnlyMapping() throws -> Mapping {
        let ring = try RingUnderTest()
        let readOnly = try RingFile.reopenReadOnly(ring.descriptor)
        defer { close(readOnly) }
        return try Mapping(descriptor: readOnly, offset: 0, byteCount: 64 << 10, access: .readOnly)
    }

    @Test func ringMapping_ofAReaderFaultsOnAWrite() async {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            // Without a core file, and without the runtime's handler, which would take seconds to tell us the same.
            var none = rlimit(rlim_cur: 0, rlim_max: 0)
            setrlimit(__rlimit_resource_t(4), &none)
            signal(SIGSEGV, SIG_DFL)
            let ring = try RingUnderTest()
            let writer = try ring.format()
            try writer.append(.sample, bytes: [1, 2, 3])
            let reader = try ring.reader()
            guard reader.drain().records.count == 1 else { exit(0) }
            reader.words.storeRelaxed(RingLayout.Header.head, 0)
        }
    }

    @Test func ringMapping_ofAReadersRingFaultsOnAWrite() async {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            var none = rlimit(rlim_cur: 0, rlim_max: 0)
            setrlimit(__rlimit_resource_t(4), &none)
            signal(SIGSEGV, SIG_DFL)
            let ring = try RingUnderTest()
            let writer = try ring.format()
            try writer.append(.sample, bytes: [1, 2, 3])
            let reader = try ring.reader()
            guard reader.drain().records.count == 1, let area = reader.area else { exit(0) }
            area.base.storeBytes(of: 1, as: UInt8.self)
        }
    }

    @Test func ringMapping_ofAReadersDescriptorCannotBeWritable() throws {
        let ring = try RingUnderTest()
        let readOnly = try RingFile.reopenReadOnly(ring.descriptor)
        defer { close(readOnly) }
        let error = try #require(throws: SystemError.self) {
            try Mapping(descriptor: readOnly, offset: 0, byteCount: 64 << 10, access: .readWrite)
        }
        #expect(error.code == EACCES)
        let mapping = try readOnlyMapping()
        #expect(mprotect(mapping.base, mapping.byteCount, PROT_READ | PROT_WRITE) == -1)
    }

    @Test func ringMapping_sizeIsSealed() throws {
        let ring = try RingUnderTest()
        #expect(ftruncate(ring.descriptor, 0) == -1)
        #expect(ftruncate(ring.descriptor, RingLayout.fileBytes * 2) == -1)
        #expect(MemoryFile.hasSealedSize(ring.descriptor))
        #expect(try MemoryFile.byteCount(of: ring.descriptor) == RingLayout.fileBytes)
    }

    @Test func ringMapping_continuesAtTheStartBehindTheEnd() throws {
        let byteCount = 64 << 10
        let descriptor = try MemoryFile.create(name: "double", byteCount: byteCount)
        defer { close(descriptor) }
        let mapping = try DoubleMapping(descriptor: descriptor, offset: 0, byteCount: byteCount, access: .readWrite)
        memset(mapping.base + byteCount - 4, 7, 8)
        #expect(mapping.base.loadUnaligned(as: UInt32.self) == 0x0707_0707)
        #expect((mapping.base + byteCount).loadUnaligned(as: UInt32.self) == 0x0707_0707)
        #expect((mapping.base + 2 * byteCount - 4).loadUnaligned(as: UInt32.self) == 0x0707_0707)
    }

    @Test func ringMapping_errorNamesTheCallAndTheReason() {
        let error = SystemError(call: "memfd_create", code: ENOMEM)
        #expect("\(error)" == "memfd_create: Cannot allocate memory")
    }
}
