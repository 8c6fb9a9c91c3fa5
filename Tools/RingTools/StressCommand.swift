// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Lanes
import Platform

struct StressCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stress",
        abstract: "Lets two processes talk over lanes as fast as they can, and checks that nothing is lost.",
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
        let up = try LaneFile.create(name: "stress-up", kind: .up)
        let down = try LaneFile.create(name: "stress-down", kind: .down)
        let bells = try Doorbell.makePair()
        let writer = try LaneWriter.format(
            descriptor: up, kind: .up, index: 0, generation: 1, maximumRingBytes: Self.ringBytes)
        let readable = try LaneFile.reopenReadOnly(up)
        let process = try StressProcess.start([readable, down, bells.1.descriptor])
        let peer = try StressProcess.waitForLane(down, of: process)
        var talk = StressWriter(lane: writer, peer: peer, bell: bells.0, seed: seed)
        try talk.run(seconds: seconds) { StressProcess.isRunning(process) }
        let status = StressProcess.wait(for: process)
        let found = StressFinding.allCases.map { "\($0) \(peer.counter($0.rawValue))" }
        print("written \(talk.recordCount), \(talk.sleeper), \(found.joined(separator: ", "))")
        if talk.sleeper.missed > 0 { throw RingToolsFailure("a wakeup of the writer is missing") }
        if status != 0 { throw RingToolsFailure("the reader ended with status \(status)") }
    }

    /// Small, so that the writer catches up with the reader all the time.
    private static let ringBytes = 16 << 20
}

/// The other process of ``StressCommand``.
struct StressReaderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "stress-reader", shouldDisplay: false)

    func run() throws {
        let reader = try LaneReader(descriptor: StressProcess.firstDescriptor, kind: .up)
        let lane = try LaneWriter.format(
            descriptor: StressProcess.firstDescriptor + 1, kind: .down, index: 0, generation: 1,
            maximumRingBytes: 1 << 20)
        let bell = Doorbell(descriptor: StressProcess.firstDescriptor + 2)
        var talk = StressReader(reader: reader, lane: lane, bell: bell)
        talk.run()
        if !talk.isWell { throw ExitCode(1) }
    }
}
