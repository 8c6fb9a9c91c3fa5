// SPDX-License-Identifier: Apache-2.0
import Settings

/// A request to the running service.
public enum ControlRequest: Equatable, Sendable {
    case status(isJSON: Bool)
    /// So many ingest workers there shall be.
    case scale(Int)
    /// End the worker in order and start another.
    case restart(WorkerName)
    /// Send away what the worker serves; it stays away until it is restarted.
    case drain(WorkerName)
    case logLevel(LogLevel)
    case reload(ReloadRequest)
    /// The path of the black box's database.
    case blackBox

    public static let scaleRange = ProxySettings.Limits.ingestWorkers

    private enum Verb: String, CaseIterable {
        case status, scale, restart, drain
        case logLevel = "log-level"
        case reload
        case blackBox = "black-box"
    }

    private enum Prefix {
        static let flag = "flag:"
        static let environment = "env:"
        static let libexec = "libexec:"
    }

    private static let jsonWord = "json"

    // MARK: Fields

    /// As they go over the socket (``ControlFrames``).
    public var fields: [String] {
        switch self {
        case .status(let isJSON): [Verb.status.rawValue] + (isJSON ? [Self.jsonWord] : [])
        case .scale(let count): [Verb.scale.rawValue, String(count)]
        case .restart(let worker): [Verb.restart.rawValue, worker.description]
        case .drain(let worker): [Verb.drain.rawValue, worker.description]
        case .logLevel(let level): [Verb.logLevel.rawValue, level.rawValue]
        case .blackBox: [Verb.blackBox.rawValue]
        case .reload(let reload):
            [Verb.reload.rawValue] + reload.flags.map { "\(Prefix.flag)\($0.name)=\($0.value)" }
                + reload.environment.map { "\(Prefix.environment)\($0.name)=\($0.value)" }
                + (reload.libexecDirectory.map { [Prefix.libexec + $0] } ?? [])
        }
    }

    public init(fields: [String]) throws(ControlRequestError) {
        guard let verb = fields.first.flatMap(Verb.init) else {
            let known = Verb.allCases.map(\.rawValue).joined(separator: ", ")
            throw ControlRequestError(
                "\(SanitizedText.quoted(fields.first ?? "")): no such command; available: \(known)")
        }
        let arguments = Array(fields.dropFirst())
        switch verb {
        case .status:
            guard arguments.isEmpty || arguments == [Self.jsonWord] else {
                throw ControlRequestError("status takes no \(SanitizedText.quoted(arguments[0]))")
            }
            self = .status(isJSON: !arguments.isEmpty)
        case .scale:
            let text = try Self.only(arguments, verb, "a number of ingest workers")
            self = .scale(try Self.workerCount(text))
        case .restart:
            self = .restart(try Self.worker(try Self.only(arguments, verb, "a worker")))
        case .drain:
            self = .drain(try Self.worker(try Self.only(arguments, verb, "a worker")))
        case .logLevel:
            self = .logLevel(try Self.level(try Self.only(arguments, verb, "a level")))
        case .reload:
            self = .reload(try Self.reload(arguments))
        case .blackBox:
            guard arguments.isEmpty else {
                throw ControlRequestError("black-box takes no \(SanitizedText.quoted(arguments[0]))")
            }
            self = .blackBox
        }
    }

    // MARK: Values, for the client as well

    public static func workerCount(_ text: String) throws(ControlRequestError) -> Int {
        guard let count = Int(text), scaleRange.contains(count), String(count) == text else {
            throw ControlRequestError(
                "invalid number of ingest workers \(SanitizedText.quoted(text)); must be from \(scaleRange.lowerBound) to "
                    + "\(scaleRange.upperBound)")
        }
        return count
    }

    public static func worker(_ text: String) throws(ControlRequestError) -> WorkerName {
        guard let name = WorkerName(text) else {
            throw ControlRequestError(
                "invalid worker \(SanitizedText.quoted(text)); must be exporter or ingest-0, ingest-1, …")
        }
        return name
    }

    public static func level(_ text: String) throws(ControlRequestError) -> LogLevel {
        guard let level = LogLevel(rawValue: text) else {
            let known = LogLevel.allCases.map(\.rawValue).joined(separator: ", ")
            throw ControlRequestError("invalid log level \(SanitizedText.quoted(text)); must be one of \(known)")
        }
        return level
    }

    private static func only(_ arguments: [String], _ verb: Verb, _ what: String) throws(ControlRequestError) -> String
    {
        guard arguments.count == 1 else {
            throw ControlRequestError("\(verb.rawValue) takes exactly one argument: \(what)")
        }
        return arguments[0]
    }

    private static func reload(_ arguments: [String]) throws(ControlRequestError) -> ReloadRequest {
        var request = ReloadRequest(flags: [], environment: [])
        for argument in arguments {
            if argument.hasPrefix(Prefix.libexec) {
                let path = String(argument.dropFirst(Prefix.libexec.count))
                guard path.hasPrefix("/") else {
                    throw ControlRequestError("\(SanitizedText.quoted(path)) is not an absolute path")
                }
                request.libexecDirectory = path
            } else if let pair = pair(argument, Prefix.flag) {
                guard ReloadRequest.isFlagName(pair.name) else {
                    throw ControlRequestError("unknown flag \(SanitizedText.quoted(pair.name))")
                }
                request.flags.append(pair)
            } else if let pair = pair(argument, Prefix.environment) {
                guard ReloadRequest.isVariableName(pair.name) else {
                    throw ControlRequestError("\(SanitizedText.quoted(pair.name)) is not a variable of a flag")
                }
                request.environment.append(pair)
            } else {
                throw ControlRequestError("reload takes no \(SanitizedText.quoted(argument))")
            }
        }
        return request
    }

    private static func pair(_ text: String, _ prefix: String) -> ReloadRequest.Pair? {
        guard text.hasPrefix(prefix) else { return nil }
        let halves = text.dropFirst(prefix.count).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        return ReloadRequest.Pair(String(halves[0]), String(halves[1]))
    }
}
