// SPDX-License-Identifier: Apache-2.0
import Glibc
import Lanes
import Platform
import Settings
import Testing
import WorkerLink

@testable import Supervision

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

    private func lane(_ kind: LaneKind = .up) throws -> Int32 { keep(try LaneFile.create(name: "test", kind: kind)) }

    private func writtenLane(_ kind: LaneKind, index: Int = 0) throws -> Int32 {
        let descriptor = try lane(kind)
        _ = try LaneWriter.format(
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
        #expect(contents.kept.isEmpty && contents.unitGRPC == nil && contents.unitHTTP == nil)
        #expect(contents.refusedCount == 1)
        #expect(contents.namesToRemove == [name])
        return try #require(contents.dropped.first?.reason)
    }

    @Test func whatIsRightIsKept() throws {
        let control = keep(try ControlFile.create())
        _ = try ControlWriter(descriptor: control)
        let (grpc, port) = try socket()
        let items = [
            ("up-3.7", try writtenLane(.up, index: 3)), ("downa-3.2", try writtenLane(.down, index: 3)),
            ("downb-3.2", try lane(.down)), ("state-0.1", try writtenLane(.state)), ("control-0.1", control),
            ("secret-0.4", try memory([UInt8](repeating: 7, count: WorkerLaunch.secretBytes))), ("grpc-0.9", grpc),
        ]
        let contents = try sort(items, try settings(grpc: "127.0.0.1:\(port)"))
        #expect(contents.dropped == [])
        #expect(contents.kept.count == items.count)
        for (name, descriptor) in items {
            let place = try #require(StoredName(name)).place
            #expect(contents.kept[place]?.descriptor == descriptor)
        }
        #expect(contents[.up, 3]?.name.generation == 7)
        #expect(contents[.up] == nil)
    }

    @Test func theNewestThatIsWholeCounts() throws {
        let (old, newer) = (try writtenLane(.up), try writtenLane(.up))
        let broken = try memory([1, 2, 3])
        let contents = try sort([("up-0.2", old), ("up-0.11", broken), ("up-0.10", newer)])
        #expect(contents[.up]?.descriptor == newer)
        #expect(contents.refusedCount == 1)
        #expect(contents.namesToRemove == ["up-0.11", "up-0.2"])
        #expect(contents.dropped.first { $0.descriptor == old }?.reason == nil)
        #expect(contents.dropped.first { $0.descriptor == broken }?.reason?.contains("3") == true)
    }

    @Test func aNameThatCameTwiceIsNotRemovedWithItsTwin() throws {
        let contents = try sort([("up-0.2", try lane()), ("up-0.2", try lane())])
        #expect(contents.kept.count == 1 && contents.dropped.count == 1)
        #expect(contents.namesToRemove == [])
    }

    @Test func oneFileServesInOnePlace() throws {
        let descriptor = try lane()
        let again = keep(dup(descriptor))
        let contents = try sort([("up-0.3", descriptor), ("up-1.3", again)])
        #expect(contents.kept.count == 1)
        #expect(contents.dropped.first?.reason == "it is the same file as up-0.3")
    }

    @Test(arguments: [
        "garbage", "", "up-64.1", "up-0", "stored", "nothing:at all\u{7}", "grpc-1.1", "fodc-proxy-grpc.socket",
    ])
    func aNameOfNobodyIsRefused(name: String) throws {
        let contents = try sort([(name, try lane())])
        #expect(contents.kept.isEmpty)
        #expect(contents.dropped.first?.reason == "its name is unknown")
        // A name that systemd cannot have is not sent back to it.
        #expect(contents.namesToRemove == (DescriptorStore.isName(name) ? [name] : []))
    }

    @Test func aSocketWhoseHostNobodyKnowsIsKeptAndTold() throws {
        let (grpc, port) = try socket()
        let contents = try sort([("grpc-0.1", grpc)], try settings(grpc: "no-such-host.invalid:\(port)"))
        #expect(contents[.grpc]?.descriptor == grpc && contents.refusedCount == 0)
        #expect(contents.unchecked.map(\.name) == ["grpc-0.1"])
        #expect(contents.unchecked.first?.reason.isEmpty == false)
        #expect(try sort([("grpc-0.1", grpc)], try settings(grpc: "127.0.0.1:\(port)")).unchecked == [])
    }

    @Test func aUnitsSocketWhoseHostNobodyKnowsIsTaken() throws {
        let (unit, port) = try socket()
        let contents = try sort(
            [("grpc", unit)], try settings(grpc: "no-such-host.invalid:\(port)"), given: [.grpcListenAddress])
        #expect(contents.unitGRPC == unit && contents.unchecked.map(\.name) == ["grpc"])
    }

    @Test func aLaneOfAnotherKindIsRefused() throws {
        #expect(try reason("up-0.1", try writtenLane(.down)) == "its kind is 2, not 1")
        #expect(try reason("state-0.1", try writtenLane(.up)) == "its kind is 1, not 3")
        #expect(try reason("downa-0.1", try writtenLane(.up)) == "its kind is 1, not 2")
    }

    @Test func aLaneOfAnotherWorkerIsRefused() throws {
        #expect(try reason("up-4.1", try writtenLane(.up, index: 5)) == "it is of worker 5")
    }

    @Test func aLaneOfAnotherVersionIsRefused() throws {
        let descriptor = try writtenLane(.up)
        var version = LaneFormat.version + 1
        #expect(pwrite(descriptor, &version, 8, 8) == 8)
        #expect(
            try reason("up-0.1", descriptor)
                == "its layout version is \(LaneFormat.version + 1), not \(LaneFormat.version)")
    }

    @Test func whatIsNoMemoryIsRefused() throws {
        let null = keep(open("/dev/null", O_RDWR | O_CLOEXEC))
        for name in ["up-0.1", "downa-0.1", "state-0.1", "control-0.1", "secret-0.1"] {
            #expect(!(try reason(name, null)).isEmpty)
        }
    }

    @Test func memoryOfAnotherSizeIsRefused() throws {
        let descriptor = try memory([UInt8](repeating: 1, count: 4096))
        for name in ["up-0.1", "control-0.1", "secret-0.1"] { #expect(try reason(name, descriptor).contains("bytes")) }
    }

    @Test func memoryThatMayShrinkIsRefused() throws {
        // A file of the right size, but no memory with seals.
        let path = "/tmp/fodc-test-\(getpid())-unsealed"
        let descriptor = keep(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600))
        unlink(path)
        let size = try MemoryFile.byteCount(of: try lane())
        #expect(ftruncate(descriptor, size) == 0)
        #expect(try reason("up-0.1", descriptor).contains("not sealed"))
    }

    @Test func aReadOnlyLaneIsRefused() throws {
        let descriptor = keep(try LaneFile.reopenReadOnly(try writtenLane(.up)))
        #expect(try reason("up-0.1", descriptor) == "it cannot be read and written")
    }

    @Test func aDamagedLaneIsRefused() throws {
        let descriptor = try writtenLane(.up)
        var tail: UInt64 = 1 << 40
        #expect(pwrite(descriptor, &tail, 8, 256) == 8)
        #expect(try reason("up-0.1", descriptor).contains("tail"))
    }

    @Test func controlOfAnotherVersionIsRefused() throws {
        let descriptor = keep(try ControlFile.create())
        _ = try ControlWriter(descriptor: descriptor)
        var version = LaneFormat.controlVersion + 1
        #expect(pwrite(descriptor, &version, 8, 8) == 8)
        #expect(try reason("control-0.1", descriptor) == "its version is \(version)")
        #expect(!(try reason("control-0.1", try lane())).isEmpty)
    }

    @Test func zerosAreNoSecret() throws {
        let zeros = try memory([UInt8](repeating: 0, count: WorkerLaunch.secretBytes))
        #expect(try reason("secret-0.1", zeros) == "it holds only zeros")
        let long = try memory([UInt8](repeating: 1, count: WorkerLaunch.secretBytes + 1))
        #expect(try reason("secret-0.1", long).contains("bytes"))
    }

    // MARK: Sockets

    @Test func aSocketThatDoesNotListenIsRefused() throws {
        let udp = keep(Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0))
        #expect(try reason("grpc-0.1", udp) == "it is not a stream socket")
        #expect(try reason("http", udp) == "it is not a stream socket")
        let idle = keep(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        #expect(try reason("grpc-0.1", idle) == "it does not listen")
        let local = keep(Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
        #expect(try reason("grpc", local) == "it is not a TCP socket")
        #expect(try reason("http-0.1", try lane()) == "it is not a socket")
    }

    @Test func aStoredSocketOfAnotherAddressIsRefused() throws {
        let (descriptor, port) = try socket()
        #expect(
            try reason("grpc-0.1", descriptor, try settings(grpc: "127.0.0.1:\(port &+ 1)"))
                == "it listens on 127.0.0.1:\(port), and --grpc-listen-addr is 127.0.0.1:\(port &+ 1) now")
        #expect(try reason("grpc-0.1", descriptor, try settings(grpc: "127.0.0.2:\(port)")).hasPrefix("it listens"))
        #expect(try reason("grpc-0.1", descriptor, try settings(grpc: ":\(port)")).hasPrefix("it listens"))
    }

    @Test func anyPortIsAsGoodAsAnother() throws {
        let (descriptor, _) = try socket()
        #expect(try sort([("grpc-0.1", descriptor)], try settings(grpc: "127.0.0.1:0"))[.grpc] != nil)
        #expect(try sort([("grpc-0.1", descriptor)], try settings(grpc: "localhost:0"))[.grpc] != nil)
    }

    @Test func everyAddressIsEveryAddress() throws {
        let (descriptor, port) = try socket(nil)
        #expect(try sort([("grpc-0.1", descriptor)], try settings(grpc: ":\(port)"))[.grpc] != nil)
        #expect(try reason("grpc-0.1", descriptor, try settings(grpc: "127.0.0.1:\(port)")).hasPrefix("it listens"))
    }

    @Test func aUnitsSocketWinsOverTheStoredAndTheDefault() throws {
        let (unit, _) = try socket()
        let (stored, port) = try socket()
        let settings = try settings(grpc: "127.0.0.1:\(port)")
        let contents = try sort([("grpc-0.3", stored), ("grpc", unit)], settings)
        #expect(contents.unitGRPC == unit && contents.unitHTTP == nil && contents.kept.isEmpty)
        #expect(contents.dropped == [.init(name: "grpc-0.3", descriptor: stored, reason: nil)])
        #expect(fcntl(unit, F_GETFL) & O_NONBLOCK != 0)
    }

    @Test func aUnitThatContradictsAFlagIsNoStart() throws {
        let (unit, port) = try socket()
        let settings = try settings(grpc: "127.0.0.1:\(port &+ 1)")
        let error = #expect(throws: StartError.self) {
            try sort([("grpc", unit)], settings, given: [.grpcListenAddress])
        }
        let text = try #require(error?.description)
        #expect(text.contains("127.0.0.1:\(port),") && text.contains("--grpc-listen-addr is 127.0.0.1:\(port &+ 1)"))
        #expect(text.contains("ListenStream="))
        #expect(try sort([("grpc", unit)], settings, given: [.httpListenAddress]).unitGRPC == unit)
    }

    @Test func twoSocketsOfAUnitAreNoStart() throws {
        let items = [("http", try socket().descriptor), ("http", try socket().descriptor)]
        let error = #expect(throws: StartError.self) { try sort(items) }
        #expect(error?.description.contains("fodc-proxy-http.socket") == true)
    }
}
