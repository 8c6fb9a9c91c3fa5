// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import Platform

@Suite struct DescriptorStoreTests {
    private func received(
        pid: String? = "17", count: String?, names: String?, isOpen: (Int32) -> Bool = { _ in true }
    ) -> [ReceivedDescriptor] {
        DescriptorStore.received(processID: pid, count: count, names: names, ownProcessID: 17, take: isOpen)
    }

    @Test func descriptorStore_readsNamesInOrder() {
        #expect(
            received(count: "2", names: "grpc:data-0.1") == [
                ReceivedDescriptor(name: "grpc", descriptor: 3), ReceivedDescriptor(name: "data-0.1", descriptor: 4),
            ])
    }

    @Test func descriptorStore_ignoresDescriptorsOfAnotherProcess() {
        for pid in [nil, "", "18", "x", "-17", "17 "] as [String?] {
            #expect(received(pid: pid, count: "1", names: "a") == [])
        }
    }

    @Test func descriptorStore_ignoresMalformedCounts() {
        for count in [nil, "", "0", "-1", "x", "99999999999999999999"] as [String?] {
            #expect(received(count: count, names: "a") == [])
        }
    }

    @Test func descriptorStore_ignoresMalformedNames() {
        for names in [nil, "", "a", "a:b:c"] as [String?] {
            #expect(received(count: "2", names: names).map(\.name) == ["unknown", "unknown"])
        }
    }

    @Test func descriptorStore_skipsClosedDescriptorsAndLimitsTheirCount() {
        #expect(received(count: "3", names: "a:b:c") { $0 != 4 }.map(\.name) == ["a", "c"])
        #expect(received(count: "2000000000", names: nil).count == DescriptorStore.limitReceived)
    }

    @Test func descriptorStore_acceptsValidNamesOnly() {
        for name in ["a", "data-3.7", String(repeating: "x", count: 255)] { #expect(DescriptorStore.isName(name)) }
        for name in ["", "a:b", "a b", "a\n", "ä", String(repeating: "x", count: 256)] {
            #expect(!DescriptorStore.isName(name))
        }
    }
}
