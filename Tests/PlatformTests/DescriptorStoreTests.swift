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

    @Test func namesComeInOrder() {
        #expect(
            received(count: "2", names: "grpc:up-0.1") == [
                ReceivedDescriptor(name: "grpc", descriptor: 3), ReceivedDescriptor(name: "up-0.1", descriptor: 4),
            ])
    }

    @Test func whatIsForAnotherProcessIsNotTaken() {
        for pid in [nil, "", "18", "x", "-17", "17 "] as [String?] {
            #expect(received(pid: pid, count: "1", names: "a") == [])
        }
    }

    @Test func nonsenseIsNothing() {
        for count in [nil, "", "0", "-1", "x", "99999999999999999999"] as [String?] {
            #expect(received(count: count, names: "a") == [])
        }
    }

    @Test func wrongNamesAreNoNames() {
        for names in [nil, "", "a", "a:b:c"] as [String?] {
            #expect(received(count: "2", names: names).map(\.name) == ["unknown", "unknown"])
        }
    }

    @Test func theClosedAreLeftOutAndTheManyCut() {
        #expect(received(count: "3", names: "a:b:c") { $0 != 4 }.map(\.name) == ["a", "c"])
        #expect(received(count: "2000000000", names: nil).count == DescriptorStore.limitReceived)
    }

    @Test func names() {
        for name in ["a", "up-3.7", String(repeating: "x", count: 255)] { #expect(DescriptorStore.isName(name)) }
        for name in ["", "a:b", "a b", "a\n", "ä", String(repeating: "x", count: 256)] {
            #expect(!DescriptorStore.isName(name))
        }
    }
}
