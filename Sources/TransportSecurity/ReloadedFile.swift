// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import Platform

/// Decides whether a check of the files replaces the value or reports an error. Pure: the caller supplies times and
/// files.
struct ReloadState<Value> {
    enum CheckResult {
        case unchanged
        case loaded(Value, ReadFiles)
        case failed(ConfigurationFileError, ReadFiles)
    }

    enum Action {
        case none
        case replace(Value)
        case report(ConfigurationFileError)
    }

    private enum Condition {
        case good
        /// They have failed once, and may have been half written: certificate and key are two files.
        case doubtful(ConfigurationFileError)
        case bad
    }

    /// Of the last check that found other ones.
    private(set) var files: ReadFiles
    private var condition = Condition.good

    init(files: ReadFiles) {
        self.files = files
    }

    /// Whether what is in use is what the files say.
    var isSuccessful: Bool {
        if case .bad = condition { false } else { true }
    }

    mutating func handle(_ result: CheckResult) -> Action {
        switch result {
        case .unchanged:
            guard case .doubtful(let error) = condition else { return .none }
            condition = .bad
            return .report(error)
        case .loaded(let value, let files):
            self.files = files
            condition = .good
            return .replace(value)
        case .failed(let error, let files):
            self.files = files
            // One bad state after the other is not told before it has settled either, but remains a failure.
            if case .bad = condition { return .report(error) }
            condition = .doubtful(error)
            return .none
        }
    }
}

/// A value made of files, made anew when they change. A bad file keeps the value that was made before. Everything on one event
/// loop; files are read on a thread of the caller's.
public final class ReloadedFile<Value: Sendable> {
    /// Reads what it needs through ``ReadFiles``, and checks all of it.
    public typealias Load = @Sendable (inout ReadFiles) throws(ConfigurationFileError) -> Value

    /// How often files are looked at: a renewed certificate is in use after so long.
    public static var lookInterval: TimeAmount { .seconds(2) }

    /// As metrics and log lines call it.
    public let name: String
    public private(set) var value: Value
    /// Called when another value has taken the place of ``value``.
    public var onChange: ((Value) -> Void)?

    private let loop: any EventLoop
    private let thread: JobThread
    private let logger: Logger
    private let load: Load
    private var state: ReloadState<Value>
    private var isLooking = false
    private var timer: RepeatedTask?

    /// Loads at once, on the caller's thread: what cannot be served as it is told must not be served.
    public init(
        name: String, loop: any EventLoop, thread: JobThread, logger: Logger, load: @escaping Load
    ) throws(ConfigurationFileError) {
        var files = ReadFiles()
        value = try load(&files)
        self.name = name
        self.loop = loop
        self.thread = thread
        self.logger = logger
        self.load = load
        state = ReloadState(files: files)
    }

    /// Whether ``value`` is what the files say: false while they are bad.
    public var isLastReloadSuccessful: Bool { state.isSuccessful }

    /// The files that ``value`` was made of, or that were bad since: a process that may open few files must be let open these,
    /// and what replaces them in their folders.
    public var paths: [String] { state.files.paths }

    /// Starts checking the files, until ``stop()``.
    public func start() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        timer = loop.scheduleRepeatedTask(initialDelay: Self.lookInterval, delay: Self.lookInterval) { _ in
            bound.value.check()
        }
    }

    public func stop() {
        timer?.cancel()
        timer = nil
    }

    private func check() {
        // A file system that hangs must not collect jobs.
        guard !isLooking else { return }
        isLooking = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        thread.run { [load, loop, files = state.files] in
            let result = Self.check(files, load)
            loop.execute { bound.value.finish(result) }
        }
    }

    private static func check(_ files: ReadFiles, _ load: Load) -> ReloadState<Value>.CheckResult {
        guard !files.areUnchanged() else { return .unchanged }
        var found = ReadFiles()
        do throws(ConfigurationFileError) {
            return .loaded(try load(&found), found)
        } catch {
            return .failed(error, found)
        }
    }

    private func finish(_ result: ReloadState<Value>.CheckResult) {
        isLooking = false
        switch state.handle(result) {
        case .none:
            break
        case .replace(let value):
            self.value = value
            logger.info("files changed and are in use", metadata: ["file": "\(name)"])
            onChange?(value)
        case .report(let error):
            logger.error(
                "changed files cannot be used; what was read before stays in use",
                metadata: ["file": "\(name)", "reason": "\(error)"])
        }
    }
}

extension ReloadState.CheckResult: Sendable where Value: Sendable {}
