// SPDX-License-Identifier: Apache-2.0
import Logging

/// swift-log's handler: merges metadata and gives the event to ``LogOutput``.
public struct LineLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private var ownLevel: Logger.Level?

    public init(label: String) {
        self.label = label
    }

    /// The process's level, which can change at run time, unless this logger has been given its own.
    public var logLevel: Logger.Level {
        get { ownLevel ?? LogOutput.standard.level }
        set { ownLevel = newValue }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let given = event.metadata { all.merge(given) { $1 } }
        LogOutput.standard.write(event, label: label, metadata: all)
    }
}
