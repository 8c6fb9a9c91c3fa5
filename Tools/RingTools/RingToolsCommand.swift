// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Started by a test, or by `swift run -c release RingTools bench`.
@main
struct RingToolsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "RingTools",
        abstract: "Torments and times the rings that the proxy's processes share.",
        subcommands: [BenchCommand.self, StressCommand.self, StressReaderCommand.self])
}

/// The reason of a failure, in one line.
struct RingToolsFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
