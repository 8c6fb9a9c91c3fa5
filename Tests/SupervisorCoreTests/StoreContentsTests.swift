// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Rings
import Settings
import Testing
import WorkerLink

@testable import SupervisorCore

/// A descriptor from systemd's store is input. All descriptors that a test makes are closed at its end.
@Suite final class StoreContentsTests {
    private var made: [Int32] = []

    deinit {
        for descriptor in made { close(descriptor) }
    }

    private func keep(_ descriptor: Int32) -> Int32 {
        made.append(descriptor)
        return descriptor
    }

    private func ring(_ kind: RingKind = .data) throws -> Int32 { keep(try RingFile.create(name: "test", kind: kind)) }

    private func writtenRing(_ kind: RingKind, index: Int = 0) throws -> Int32 {
        let descriptor = try ring(kind)
        _ = try RingWriter.format(
            descriptor: descriptor, kind: kind, index: index, generation: 1, maximumRingBytes: 1 << 20)
        return descriptor
    }

    private func memory(_ bytes: [UInt8]) throws -> Int32 {
        let descriptor = keep(try MemoryFile.create(name: "test", byteCount: bytes.count))
        try SmallFile.writeAll(bytes, to: descriptor, name: "test")
        return descriptor
    }

    private func socket(_ host: String? = "127.0.0.1") throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = keep(try ListeningSocket.open(host: host, port: 0))
        let text = try #require(ListeningSocket.localAddress(of: descriptor))
        return (descriptor, try #require(ListenAddress(text)).port)
    }

    private func settings(grpc: String) throws -> ProxySettings {
        try ProxySettings(flagValues: [(.grpcListenAddress, grpc)])
    }

    private func sort(
        _ items: [(String, Int32)], _ settings: ProxySettings = ProxySettings(), given: Set<SettingsFlag> = []
    ) throws -> StoreContents {
        try StoreContents(
            items.map { ReceivedDescriptor(name: $0.0, descriptor: $0.1) }, settings: settings, given: given)
    }

    /// The one descriptor is refused, and why.
    private func reason(_ name: String, _ descriptor: Int32, _ settings: ProxySettings = ProxySettings()) throws
        -> String
    {
        let contents = try sort([(name, descriptor)], settings)
        #expect(contents.kept.isEmpty && contents.unitSockets.isEmpty)
        #expect(contents.refusedCount == 1)
        #expect(contents.namesToRemove == [name])
        return try #require(contents.dropped.first?.reason)
    }

    @Test func storeContents_keepValidDescriptors() throws {
        let control = keep(try WorkerTableFile.create())
        _ = try WorkerTableWriter(descriptor: control)
        let (grpc, port) = try socket()
        let items = [
            ("data-3.7", try writtenRing(.data, index: 3)), ("commanda-3.2", try writtenRing(.command, index: 3)),
            ("commandb-3.2", try ring(.command)), ("state-0.1", try writtenRing(.state)), ("control-0.1", control),
            ("secret-0.4", try memory([UInt8](repeating: 7, count: WorkerLaunch.secretBytes))), ("grpc-0.9", grpc),
        ]
        let contents = try sort(items, try settings(grpc: "127.0.0.1:\(port)"))
        #expect(contents.dropped == [])
        #expect(contents.kept.count == items.count)
        for (name, descriptor) in items {
            let place = try #require(StoredDescriptorName(name)).place
            #expect(contents.kept[place]?.descriptor == descriptor)
        }
        #expect(contents[.data, 3]?.name.generation == 7)
        #expect(contents[.data] == nil)
    }

    @Test func storeContents_preferTheNewestValidGeneration() throws {
        let (old, newer) = (try writtenRing(.data), try writtenRing(.data))
        let broken = try memory([1, 2, 3])
        let contents = try sort([("data-0.2", old), ("data-0.11", broken), ("data-0.10", newer)])
        #expect(contents[.data]?.descriptor == newer)
        #expect(contents.refusedCount == 1)
        #expect(contents.namesToRemove == ["data-0.11", "data-0.2"])
        #expect(contents.dropped.first { $0.descriptor == old }?.reason == nil)
        #expect(contents.dropped.first { $0.descriptor == broken }?.reason?.contains("3") == true)
    }

    @Test func storeContents_doNotRemoveANameThatIsStoredTwice() throws {
        let contents = try sort([("data-0.2", try ring()), ("data-0.2", try ring())])
        #expect(contents.kept.count == 1 && contents.dropped.count == 1)
        #expect(contents.namesToRemove == [])
    }

    @Test func storeContents_useOneFileOnce() throws {
        let descriptor = try ring()
        let again = keep(dup(descriptor))
        let contents = try sort([("data-0.3", descriptor), ("data-1.3", again)])
        #expect(contents.kept.count == 1)
        #expect(contents.dropped.first?.reason == "it is the same file as data-0.3")
    }

    @Test(arguments: [
        "garbage", "", "data-64.1", "data-0", "stored", "nothing:at all\u{7}", "grpc-1.1", "fodc-proxy-grpc.socket",
    ])
    func storeContents_rejectAnUnknownName(name: String) throws {
        let contents = try sort([(name, try ring())])
        #expect(contents.kept.isEmpty)
        #expect(contents.dropped.first?.reason == "its name is unknown")
        // A name that systemd cannot have is not sent back to it.
        #expect(contents.namesToRemove == (DescriptorStore.isName(name) ? [name] : []))
    }

    @Test func storeContents_keepASocketWhoseHostCannotBeResolved() throws {
        let (grpc, port) = try socket()
        let contents = try sort([("grpc-0.1", grpc)], try settings(grpc: "no-such-host.invalid:\(port)"))
        #expect(contents[.grpc]?.descriptor == grpc && contents.refusedCount == 0)
        #expect(contents.unchecked.map(\.name) == ["grpc-0.1"])
        #expect(contents.unchecked.first?.reason.isEmpty == false)
        #expect(try sort([("grpc-0.1", grpc)], try settings(grpc: "127.0.0.1:\(port)")).unchecked == [])
    }

    @Test func storeContents_acceptAUnitsSocketWhoseHostCannotBeResolved() throws {
        let (unit, port) = try socket()
        let contents = try sort(
            [("grpc", unit)], try settings(grpc: "no-such-host.invalid:\(port)"), given: [.grpcListenAddress])
        #expect(contents.unitSockets[.grpc] == unit && contents.unchecked.map(\.name) == ["grpc"])
    }

    @Test func storeContents_rejectARingOfAnotherKind() throws {
        #expect(try reason("data-0.1", try writtenRing(.command)) == "its kind is 2, not 1")
        #expect(try reason("state-0.1", try writtenRing(.data)) == "its kind is 1, not 3")
        #expect(try reason("commanda-0.1", try writtenRing(.data)) == "its kind is 1, not 2")
    }

    @Test func storeContents_rejectARingOfAnotherWorker() throws {
        #expect(try reason("data-4.1", try writtenRing(.data, index: 5)) == "it is of worker 5")
    }

    @Test func storeContents_rejectARingOfAnotherVersion() throws {
        let descriptor = try writtenRing(.data)
        var version = RingFormat.version + 1
        #expect(pwrite(descriptor, &version, 8, 8) == 8)
        #expect(
            try reason("data-0.1", descriptor)
                == "its layout version is \(RingFormat.version + 1), not \(RingFormat.version)")
    }

    @Test func storeContents_rejectADescriptorThatIsNotMemory() throws {
        let null = keep(open("/dev/null", O_RDWR | O_CLOEXEC))
        for name in ["data-0.1", "commanda-0.1", "state-0.1", "control-0.1", "secret-0.1"] {
            #expect(!(try reason(name, null)).isEmpty)
        }
    }

    @Test func storeContents_rejectMemoryOfAnotherSize() throws {
        let descriptor = try memory([UInt8](repeating: 1, count: 4096))
        for name in ["data-0.1", "control-0.1", "secret-0.1"] {
            #expect(try reason(name, descriptor).contains("bytes"))
        }
    }

    @Test func storeContents_rejectMemoryThatMayShrink() throws {
        // A file of the right size, but no memory with seals.
        let path = "/tmp/fodc-test-\(getpid())-unsealed"
        let descriptor = keep(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600))
        unlink(path)
        let size = try MemoryFile.byteCount(of: try ring())
        #expect(ftruncate(descriptor, size) == 0)
        #expect(try reason("data-0.1", descriptor).contains("not sealed"))
    }

    @Test func storeContents_rejectAReadOnlyRing() throws {
        let descriptor = keep(try RingFile.reopenReadOnly(try writtenRing(.data)))
        #expect(try reason("data-0.1", descriptor) == "it cannot be read and written")
    }

    @Test func storeContents_rejectADamagedRing() throws {
        let descriptor = try writtenRing(.data)
        var tail: UInt64 = 1 << 40
        #expect(pwrite(descriptor, &tail, 8, 256) == 8)
        #expect(try reason("data-0.1", descriptor).contains("tail"))
    }

    @Test func storeContents_rejectAWorkerTableOfAnotherVersion() throws {
        let descriptor = keep(try WorkerTableFile.create())
        _ = try WorkerTableWriter(descriptor: descriptor)
        var version = RingFormat.controlVersion + 1
        #expect(pwrite(descriptor, &version, 8, 8) == 8)
        #expect(try reason("control-0.1", descriptor) == "its version is \(version)")
        #expect(!(try reason("control-0.1", try ring())).isEmpty)
    }

    @Test func storeContents_rejectASecretOfZeros() throws {
        let zeros = try memory([UInt8](repeating: 0, count: WorkerLaunch.secretBytes))
        #expect(try reason("secret-0.1", zeros) == "it holds only zeros")
        let long = try memory([UInt8](repeating: 1, count: WorkerLaunch.secretBytes + 1))
        #expect(try reason("secret-0.1", long).contains("bytes"))
    }

    // MARK: Sockets

    @Test func storeContents_rejectASocketThatDoesNotListen() throws {
        let udp = keep(Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0))
        #expect(try reason("grpc-0.1", udp) == "it is not a stream socket")
        #expect(try reason("http", udp) == "it is not a stream socket")
        let idle = keep(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        #expect(try reason("grpc-0.1", idle) == "it does not listen")
        let local = keep(Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
        #expect(try reason("grpc", local) == "it is not a TCP socket")
        #expect(try reason("http-0.1", try ring()) == "it is not a socket")
    }

    @Test func storeContents_rejectAStoredSocketOfAnotherAddress() throws {
        let (descriptor, port) = try socket()
        #expect(
            try reason("grpc-0.1", descriptor, try settings(grpc: "127.0.0.1:\(port &+ 1)"))
                == "it listens on 127.0.0.1:\(port), and --grpc-listen-addr is 127.0.0.1:\(port &+ 1) now")
        #expect(try reason("grpc-0.1", descriptor, try settings(grpc: "127.0.0.2:\(port)")).hasPrefix("it listens"))
        #expect(try reason("grpc-0.1", descriptor, try settings(grpc: ":\(port)")).hasPrefix("it listens"))
    }

    @Test func storeContents_dropTheSocketOfAPlaceThatIsOff() throws {
        let (descriptor, port) = try socket()
        #expect(
            try reason("grpctls-0.1", descriptor)
                == "it listens on 127.0.0.1:\(port), and --grpc-tls-listen-addr is \"none\" now")
        let (unit, _) = try socket()
        #expect(try reason("grpctls", unit) == "--grpc-tls-listen-addr is \"none\"")
        let settings = try ProxySettings(flagValues: [
            (.grpcListenAddress, "none"), (.grpcTLSListenAddress, "127.0.0.1:\(port)"), (.grpcTLSCertificateFile, "/c"),
            (.grpcTLSKeyFile, "/k"),
        ])
        #expect(try sort([("grpctls-0.1", descriptor)], settings)[.grpcTLS]?.descriptor == descriptor)
        #expect(try sort([("grpctls", descriptor)], settings).unitSockets == [.grpcTLS: descriptor])
        #expect(try reason("grpc-0.1", descriptor, settings).hasSuffix("--grpc-listen-addr is \"none\" now"))
    }

    @Test func storeContents_acceptAnyPortWhereTheSettingIsZero() throws {
        let (descriptor, _) = try socket()
        #expect(try sort([("grpc-0.1", descriptor)], try settings(grpc: "127.0.0.1:0"))[.grpc] != nil)
        #expect(try sort([("grpc-0.1", descriptor)], try settings(grpc: "localhost:0"))[.grpc] != nil)
    }

    @Test func storeContents_compareTheWildcardAddress() throws {
        let (descriptor, port) = try socket(nil)
        #expect(try sort([("grpc-0.1", descriptor)], try settings(grpc: ":\(port)"))[.grpc] != nil)
        #expect(try reason("grpc-0.1", descriptor, try settings(grpc: "127.0.0.1:\(port)")).hasPrefix("it listens"))
    }

    @Test func storeContents_preferAUnitsSocket() throws {
        let (unit, _) = try socket()
        let (stored, port) = try socket()
        let settings = try settings(grpc: "127.0.0.1:\(port)")
        let contents = try sort([("grpc-0.3", stored), ("grpc", unit)], settings)
        #expect(contents.unitSockets == [.grpc: unit] && contents.kept.isEmpty)
        #expect(contents.dropped == [.init(name: "grpc-0.3", descriptor: stored, reason: nil)])
        #expect(fcntl(unit, F_GETFL) & O_NONBLOCK != 0)
    }

    @Test func storeContents_failTheStartWhenAUnitContradictsAFlag() throws {
        let (unit, port) = try socket()
        let settings = try settings(grpc: "127.0.0.1:\(port &+ 1)")
        let error = #expect(throws: StartError.self) {
            try sort([("grpc", unit)], settings, given: [.grpcListenAddress])
        }
        let text = try #require(error?.description)
        #expect(text.contains("127.0.0.1:\(port),") && text.contains("--grpc-listen-addr is 127.0.0.1:\(port &+ 1)"))
        #expect(text.contains("ListenStream="))
        #expect(try sort([("grpc", unit)], settings, given: [.httpListenAddress]).unitSockets[.grpc] == unit)
    }

    @Test func storeContents_failTheStartOnTwoSocketsOfAUnit() throws {
        let items = [("http", try socket().descriptor), ("http", try socket().descriptor)]
        let error = #expect(throws: StartError.self) { try sort(items) }
        #expect(error?.description.contains("fodc-proxy-http.socket") == true)
    }
}
