// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Started by a test, or by `swift run -c release RingStress bench`.
@main
struct RingStressCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "RingStress",
        abstract: "Torments and times the rings that the proxy's processes share.",
        subcommands: [BenchCommand.self, StressCommand.self, StressReaderCommand.self])
}

/// The reason of a failure, in one line.
struct RingStressFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
