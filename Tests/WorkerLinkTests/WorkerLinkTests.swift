// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Settings
import Testing

@testable import WorkerLink

@Suite struct WorkerLaunchTests {
    private static func launch(_ role: WorkerRole) throws -> WorkerLaunch {
        let settings = try ProxySettings(flagValues: [(.maxAgents, "77"), (.stateDirectory, "/a=b --c,d")])
        let rings: WorkerDescriptors.Rings =
            switch role {
            case .ingest:
                .ingest(
                    .init(
                        dataRing: 7, commandA: 8, commandB: 9, wakeupA: 10, wakeupB: 11,
                        otherDataRings: [.init(index: 0, descriptor: 12), .init(index: 2, descriptor: 13)]))
            case .exporter:
                .exporter(
                    .init(
                        dataRings: [7, 8, 9], commandRings: [10, 11, 12], wakeups: [13, 14, 15], state: 16,
                        recorderState: 17))
            case .recorder: .recorder(.init(dataRings: [7, 8, 9], state: 10, exporterState: 11))
            }
        return WorkerLaunch(
            role: role, index: role == .ingest ? 1 : 0, generation: 12, ingestWorkers: 3,
            suspects: role == .ingest ? [] : [72_057_594_037_927_941, 0], user: .init(user: 997, group: 996),
            settings: settings,
            descriptors: WorkerDescriptors(
                control: 3, link: 4, listener: role == .recorder ? -1 : 5, secret: role == .ingest ? 6 : nil,
                rings: rings))
    }

    @Test(arguments: WorkerRole.allCases) func workerLaunch_decodesToTheEncodedArguments(role: WorkerRole) throws {
        let launch = try Self.launch(role)
        #expect(try WorkerLaunch(decoding: launch.arguments) == launch)
    }

    /// Agents may connect with TLS beside connecting without, or instead of it; other workers have no such socket.
    @Test func workerLaunch_needsOneOfTheAgentsListeners() throws {
        let arguments = try Self.launch(.ingest).arguments
        #expect(try WorkerLaunch(decoding: arguments + ["--tls-listener-fd=17"]).descriptors.listeners == [5, 17])
        let without = arguments.filter { !$0.hasPrefix("--listener-fd=") }
        let launch = try WorkerLaunch(decoding: without + ["--tls-listener-fd=17"])
        #expect(launch.descriptors.listeners == [17])
        #expect(try WorkerLaunch(decoding: launch.arguments) == launch)
        #expect(throws: WorkerLaunchError.self) { try WorkerLaunch(decoding: without) }
        for role in [WorkerRole.exporter, .recorder] {
            let others = try Self.launch(role).arguments
            #expect(throws: WorkerLaunchError.self) { try WorkerLaunch(decoding: others + ["--tls-listener-fd=17"]) }
        }
    }

    @Test(arguments: WorkerRole.allCases) func workerLaunch_needsEveryArgumentOnce(role: WorkerRole) throws {
        let arguments = try Self.launch(role).arguments
        for (index, argument) in arguments.enumerated() where !argument.hasPrefix("--set-") {
            var without = arguments
            without.remove(at: index)
            #expect(throws: WorkerLaunchError.self, "without \(argument)") { try WorkerLaunch(decoding: without) }
            #expect(throws: WorkerLaunchError.self, "twice \(argument)") {
                try WorkerLaunch(decoding: arguments + [argument])
            }
            var broken = arguments
            broken[index] = argument.prefix { $0 != "=" } + "=x"
            #expect(throws: WorkerLaunchError.self, "broken \(argument)") { try WorkerLaunch(decoding: broken) }
        }
    }

    @Test(arguments: [
        "--unknown=1", "surplus", "--", "--index", "--set-max-agents=0", "--set-nothing=1", "--state-fd=20",
        "--suspects=1",
        "--data-ring-fds=1,2,3",
    ])
    func workerLaunch_rejectsUnknownArguments(argument: String) throws {
        let arguments = try Self.launch(.ingest).arguments
        #expect(throws: WorkerLaunchError.self) { try WorkerLaunch(decoding: arguments + [argument]) }
    }

    @Test func workerLaunch_errorNamesThePublicProgram() {
        let error = #expect(throws: WorkerLaunchError.self) { try WorkerLaunch(arguments: ["fodc-ingest"]) }
        #expect(error?.description.hasPrefix("--worker is missing (this program is started by fodc-proxy") == true)
    }
}

@Suite struct MessageCodingTests {
    @Test(arguments: [
        SupervisorMessage.drain(deadlineNanoseconds: 0x0102_0304_0506_0708), .drain(deadlineNanoseconds: .max), .stop,
        .logLevel("debug"), .logLevel(""), .retire(deadlineNanoseconds: 7), .takeRing, .ring(index: 63),
        .ringGone(index: 0), .adopt(index: 5), .accepting(true), .accepting(false),
    ])
    func messageCoding_decodesEveryMessageOfTheSupervisor(message: SupervisorMessage) {
        #expect(MessageCoding.decodeSupervisorMessage(MessageCoding.encode(message)) == message)
        #expect(MessageCoding.decodeWorkerMessage(MessageCoding.encode(message)) == nil)
    }

    @Test(arguments: [
        WorkerMessage.ready, .standby, .adopted(index: 63), .accepting(false), .accepting(true),
        .sandboxed(missing: ""), .sandboxed(missing: "landlock: not there"), .refusedCall(0x0102_0304),
    ]) func messageCoding_decodesEveryMessageOfAWorker(
        message: WorkerMessage
    ) {
        #expect(MessageCoding.decodeWorkerMessage(MessageCoding.encode(message)) == message)
        #expect(MessageCoding.decodeSupervisorMessage(MessageCoding.encode(message)) == nil)
    }

    @Test(arguments: [
        [], [3], [3, 0], [3, 255], [3, 1], [3, 1, 0], [3, 6], [3, 6, 64], [3, 8, 1, 1], [3, 4, 0], [3, 9, 2], [1, 2],
        [3] + [UInt8](repeating: 1, count: 10), [3, 2, 0],
        [3, 3] + [1, 4, 0, 0] + [UInt8](repeating: 65, count: 1025),
    ])
    func messageCoding_rejectsMalformedBytes(bytes: [UInt8]) {
        #expect(MessageCoding.decodeSupervisorMessage(bytes) == nil)
    }

    @Test func messageCoding_truncatesLongTexts() {
        let bytes = MessageCoding.encode(.logLevel(String(repeating: "ä", count: 5000)))
        #expect(bytes.count == 6 + MessageCoding.limitTextBytes)
        #expect(MessageCoding.decodeSupervisorMessage(bytes) != nil)
    }
}

@Suite struct LinkTests {
    @Test func workerLink_deliversMessagesAndTheEnd() throws {
        let (mine, theirs) = try MessageSocket.pair()
        let link = SupervisorLink(descriptor: theirs)
        link.sendReady()
        guard case .message(let ready) = try MessageSocket.receive(on: mine) else {
            throw SystemError(call: "test", code: 0)
        }
        #expect(MessageCoding.decodeWorkerMessage(ready.bytes) == .ready)
        try MessageSocket.send([200, 1], on: mine)  // of a later version: left out
        try MessageSocket.send(MessageCoding.encode(.stop), on: mine)
        #expect(try link.receive()?.message == .stop)
        close(mine)
        #expect(try link.receive()?.message == nil)
        link.sendAdopted(index: 0)  // must not raise SIGPIPE
        close(theirs)
    }

    @Test func messageSocket_reportsATruncatedMessage() throws {
        let (mine, theirs) = try MessageSocket.pair()
        defer { for end in [mine, theirs] { close(end) } }
        let long = [UInt8](repeating: 1, count: MessageSocket.limitBytes + 1)
        #expect(send(mine, long, long.count, 0) == long.count)
        try MessageSocket.send(MessageCoding.encode(.stop), on: mine)
        let link = SupervisorLink(descriptor: theirs)
        #expect(throws: SystemError.self) { try link.receive() }
        #expect(try link.receive()?.message == .stop)
    }

    @Test func messageSocket_passesDescriptorsWithTheirMessage() throws {
        let (one, other) = try MessageSocket.pair()
        defer {
            close(one)
            close(other)
        }
        let memory = try MemoryFile.create(name: "test", byteCount: 8)
        try SmallFile.writeAll([1, 2, 3, 4, 5, 6, 7, 8], to: memory, name: "test")
        try MessageSocket.send([9], descriptors: [memory, memory], on: one)
        close(memory)
        guard case .message(let message) = try MessageSocket.receive(on: other) else {
            throw SystemError(call: "test", code: 0)
        }
        #expect(message.bytes == [9])
        #expect(message.descriptors.count == 2)
        for descriptor in message.descriptors {
            #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
            #expect(try SmallFile.readAndClose(descriptor, limitBytes: 100) == [1, 2, 3, 4, 5, 6, 7, 8])
        }
    }

    @Test func messageSocket_limitsMessagesAndDescriptors() throws {
        let (one, other) = try MessageSocket.pair()
        defer {
            close(one)
            close(other)
        }
        let longest = [UInt8](repeating: 7, count: MessageSocket.limitBytes)
        #expect(throws: SystemError.self) { try MessageSocket.send(longest + [7], on: one) }
        #expect(throws: SystemError.self) { try MessageSocket.send([], on: one) }
        let many = [Int32](repeating: one, count: MessageSocket.limitDescriptors)
        #expect(throws: SystemError.self) { try MessageSocket.send([1], descriptors: many + [one], on: one) }
        try MessageSocket.send(longest, descriptors: many, on: one)
        guard case .message(let message) = try MessageSocket.receive(on: other) else {
            throw SystemError(call: "test", code: 0)
        }
        #expect(message.bytes == longest)
        #expect(message.descriptors.count == many.count)
        for descriptor in message.descriptors { close(descriptor) }
    }

    @Test func messageSocket_returnsNothingWhenEmpty() throws {
        let (one, other) = try MessageSocket.pair()
        defer { close(other) }
        try MessageSocket.setNonblocking(one)
        guard case .nothing = try MessageSocket.receive(on: one) else {
            Issue.record("there is nothing to receive")
            return
        }
        close(one)
    }
}
