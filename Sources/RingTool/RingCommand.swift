// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

struct RingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fodc-ring",
        abstract: "Prints the memory that the proxy's processes share.",
        discussion: """
            A ring is one memory file with one writer: an ingest worker writes its agents' records (data ring), the \
            exporter writes commands (command ring) or its own state (state ring). The supervisor writes the worker table \
            (`control`): which workers run. Rings are opened read-only, so looking at them does not disturb the service.

            This lists the descriptors of a process that are rings:
              ls -l /proc/$(pidof fodc-ingest)/fd | grep memfd
            """,
        subcommands: [DumpCommand.self])
}
