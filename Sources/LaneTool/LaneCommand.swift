// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

struct LaneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fodc-lane",
        abstract: "Looks into the memory that the proxy's processes share.",
        discussion: """
            A lane is one memory file with one writer: an ingest worker writes what its agents send (up lane), the \
            exporter writes commands (down lane) or what it must not forget (state lane). The supervisor writes \
            `control`: which workers live. Looking at them disturbs nobody: they are opened read-only.

            Which descriptors of a process are lanes shows, for example,
              ls -l /proc/$(pidof fodc-ingest)/fd | grep memfd
            """,
        subcommands: [DumpCommand.self])
}
