// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Platform
import Rings

struct StressCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stress",
        abstract: "Lets two processes talk over rings as fast as they can, and checks that nothing is lost.",
        discussion: """
            This process writes, a second one reads. Checked are each record's content and order, and that no wakeup \
            was missed. Exit status: 0 all was well; 1 not.
            """)

    @Option(help: "How long, in seconds.")
    var seconds = 3.0

    @Option(help: "Of the record sizes and pauses.")
    var seed: UInt64 = 1

    func validate() throws {
        guard seconds > 0, seconds <= 3600 else {
            throw ValidationError("--seconds \(seconds): 0 to 3600 are possible")
        }
    }

    func run() throws {
        let dataRing = try RingFile.create(name: "stress-up", kind: .data)
        let commandRing = try RingFile.create(name: "stress-down", kind: .command)
        let wakeups = try WakeupChannel.makePair()
        let writer = try RingWriter.format(
            descriptor: dataRing, kind: .data, index: 0, generation: 1, maximumRingBytes: Self.ringBytes)
        let readable = try RingFile.reopenReadOnly(dataRing)
        let process = try StressProcess.start([readable, commandRing, wakeups.1.descriptor])
        let peer = try StressProcess.waitForRing(commandRing, of: process)
        var talk = StressWriter(ring: writer, peer: peer, wakeup: wakeups.0, seed: seed)
        try talk.run(seconds: seconds) { StressProcess.isRunning(process) }
        let status = StressProcess.wait(for: process)
        let found = StressFinding.allCases.map { "\($0) \(peer.counter($0.rawValue))" }
        print("written \(talk.recordCount), \(talk.sleeper), \(found.joined(separator: ", "))")
        if talk.sleeper.missed > 0 { throw RingStressFailure("a wakeup of the writer is missing") }
        if status != 0 { throw RingStressFailure("the reader ended with status \(status)") }
    }

    /// Small, so that the writer catches up with the reader all the time.
    private static let ringBytes = 16 << 20
}

/// The other process of ``StressCommand``.
struct StressReaderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "stress-reader", shouldDisplay: false)

    func run() throws {
        let reader = try RingReader(descriptor: StressProcess.firstDescriptor, kind: .data)
        let ring = try RingWriter.format(
            descriptor: StressProcess.firstDescriptor + 1, kind: .command, index: 0, generation: 1,
            maximumRingBytes: 1 << 20)
        let wakeup = WakeupChannel(descriptor: StressProcess.firstDescriptor + 2)
        var talk = StressReader(reader: reader, ring: ring, wakeup: wakeup)
        talk.run()
        if !talk.isWell { throw ExitCode(1) }
    }
}
