// SPDX-License-Identifier: Apache-2.0

/// The line that `systemctl status` shows.
enum StatusText {
    /// One worker, as the line shows it.
    struct Worker {
        let name: String
        let isReady: Bool
    }

    /// A worker that dies again and again.
    struct Trouble {
        let deaths: Int
        /// From the first to the last of them.
        let overNanoseconds: UInt64
        let lastCause: String
        /// `nil`: it runs again.
        let nextTryNanoseconds: UInt64?
    }

    /// systemd takes no message over 4 KiB (PIPE_BUF), so that a longer line would not be shown at all.
    static let limitBytes = 3 << 10
    /// Of why a reload failed: what a program prints can be long.
    static let limitReasonBytes = 500

    /// - Parameters:
    ///   - troubles: why it is degraded, if it is.
    ///   - underWay: what is being done: `reload`.
    ///   - reloadFailure: why the last reload came to nothing, if it did.
    static func line(
        ingest: [Worker], exporter: Worker, listening: String, troubles: [String] = [], underWay: String? = nil,
        reloadFailure: String? = nil
    ) -> String {
        var line: String
        if troubles.isEmpty {
            let ready = ingest.filter(\.isReady).count
            let workers =
                "\(ready == ingest.count ? "" : "\(ready) of ")\(ingest.count) ingest worker\(ingest.count == 1 ? "" : "s")"
            line = "serving: \(workers), \(exporter.isReady ? "exporter" : "exporter starting")"
        } else {
            line = "degraded: " + troubles.joined(separator: "; ")
        }
        if let underWay { line += "; \(underWay) under way" }
        line += "; listening on \(listening)"
        if let reloadFailure {
            line += "; the last reload failed: \(SanitizedText.cut(reloadFailure, toBytes: limitReasonBytes))"
        }
        return SanitizedText.cut(line, toBytes: limitBytes)
    }

    /// The text about a worker in trouble.
    static func text(_ name: String, isReady: Bool, _ trouble: Trouble) -> String {
        let next = trouble.nextTryNanoseconds.map { "next try in \(seconds($0))" }
        return
            "\(name) failed \(trouble.deaths) times in \(seconds(trouble.overNanoseconds)), last \(trouble.lastCause); "
            + (next ?? (isReady ? "running again" : "starting"))
    }

    /// `0.3 s`, `12 s`: seconds for people.
    static func seconds(_ nanoseconds: UInt64) -> String {
        let tenths = (nanoseconds + 50_000_000) / 100_000_000
        return tenths >= 100 || tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
    }
}
