// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BlackBox
import Calendar
import Database

struct BlackBoxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fodc-blackbox",
        abstract: "Reads the black box: what was known of nodes before they went.",
        discussion: """
            It needs no running service: the database (black-box.db, with black-box.db-wal if that is there) may be read \
            beside a recorder that writes it, or copied to another machine.

              fodc-blackbox list --file /var/lib/fodc-proxy/black-box.db
              fodc-blackbox incidents --file black-box.db --kind node-gone
              fodc-blackbox bundle --file black-box.db 20261130T021316.123Z-00ab
              fodc-blackbox export --file black-box.db --pod banyandb-data-0 > metrics.om
              promtool tsdb create-blocks-from openmetrics metrics.om data
            """,
        subcommands: [
            ListCommand.self, IncidentsCommand.self, ShowCommand.self, ExportCommand.self, BundleCommand.self,
        ])
}

/// The database that a command reads.
struct FileOption: ParsableArguments {
    @Option(help: ArgumentHelp("The database.", valueName: "path"))
    var file: String

    func open() throws -> BlackBoxReader {
        do throws(DatabaseError) {
            return try BlackBoxReader(path: file)
        } catch {
            throw BlackBoxToolFailure("\(error)")
        }
    }

    /// Runs `body`, and says the reason in one line if the database cannot be read.
    func read<Result>(_ body: (BlackBoxReader) throws(DatabaseError) -> Result) throws -> Result {
        let reader = try open()
        do throws(DatabaseError) {
            let result = try body(reader)
            if reader.damagedCount > 0 {
                ToolOutput.writeError(
                    "fodc-blackbox: \(reader.damagedCount) parts of \(file) are damaged and left out\n")
            }
            return result
        } catch {
            throw BlackBoxToolFailure("\(error)")
        }
    }
}

enum PrintedValue {
    static func time(_ nanoseconds: Int64) -> String {
        RFC3339.text(EpochTime(nanosecondsSinceEpoch: nanoseconds), fraction: .milliseconds)
    }

    static func time(_ nanoseconds: Int64?) -> String { nanoseconds.map { time($0) } ?? "-" }

    /// Control characters out of names of agents do not reach a terminal.
    static func text(_ text: String) -> String {
        String(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : Character($0) })
    }

    /// Columns under one another.
    static func table(_ rows: [[String]]) -> [String] {
        var widths: [Int] = []
        for row in rows {
            for (place, cell) in row.enumerated() {
                if place == widths.count { widths.append(0) }
                widths[place] = max(widths[place], cell.count)
            }
        }
        return rows.map { row in
            row.enumerated().map { place, cell in
                place == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[place] - cell.count)
            }.joined(separator: "  ")
        }
    }
}
