// SPDX-License-Identifier: Apache-2.0

extension ProxySettings {
    /// Every setting as the text that ``init(flagValues:)`` reads back to the same value. What is not set is left out.
    public var flagValues: [(flag: SettingsFlag, value: String)] {
        SettingsFlag.allCases.compactMap { flag in text(of: flag).map { (flag, $0) } }
    }

    /// The settings that ``flagValues`` of another process wrote; checked like any input.
    public init(flagValues: [(flag: SettingsFlag, value: String)]) throws(SettingsError) {
        self.init()
        for (flag, value) in flagValues {
            try set(flag, to: value, source: .flag)
        }
        try checkTogether { _ in .flag }
    }

    /// One setting as text; `nil` for one that is not set, and for what another flag says.
    public func text(of flag: SettingsFlag) -> String? {
        switch flag {
        case .grpcListenAddress: grpcListenAddress.description
        case .httpListenAddress: httpListenAddress.description
        case .agentHeartbeatTimeout: agentHeartbeatTimeout.goSyntax
        case .agentCleanupTimeout: agentCleanupTimeout.goSyntax
        case .maxAgents: String(maxAgents)
        case .maxAgentsPerConnection: String(maxAgentsPerConnection)
        case .maxAgentsPerSource: maxAgentsPerSource.map { String($0) }
        case .grpcMaxMessageSize: String(grpcMaxMessageBytes)
        case .httpReadTimeout: httpReadTimeout.goSyntax
        case .httpWriteTimeout: httpWriteTimeout.goSyntax
        case .heartbeatInterval: heartbeatInterval.goSyntax
        case .ingestWorkers: String(ingestWorkers)
        case .ringMaxSize: ByteSize.format(ringMaxBytes)
        case .staleGrace: staleGrace.goSyntax
        case .lifecycleInterval: lifecycleInterval.goSyntax
        case .spoolDirectory: spoolDirectory
        case .spoolMaxSize: ByteSize.format(spoolMaxBytes)
        case .stateDirectory: stateDirectory
        case .runtimeDirectory: runtimeDirectory
        case .logLevel: logLevel.rawValue
        case .logFormat: logFormat.rawValue
        // They come to these two.
        case .loggingLevel, .loggingEnvironment, .loggingModules, .loggingLevels: nil
        }
    }

    /// Sets one setting from its text, alone; what holds between settings is ``checkTogether(_:)``'s.
    mutating func set(_ flag: SettingsFlag, to text: String, source: SettingsError.Source) throws(SettingsError) {
        let given = GivenValue(flag: flag, source: source, text: text)
        switch flag {
        case .grpcListenAddress: grpcListenAddress = try given.address()
        case .httpListenAddress: httpListenAddress = try given.address()
        case .agentHeartbeatTimeout: agentHeartbeatTimeout = try given.duration(Limits.heartbeatTimeout, zero: "never")
        case .agentCleanupTimeout: agentCleanupTimeout = try given.duration(Limits.cleanupTimeout)
        case .maxAgents: maxAgents = try given.count(Limits.agents)
        case .maxAgentsPerConnection: maxAgentsPerConnection = try given.count(Limits.agentsPerConnection)
        case .maxAgentsPerSource: maxAgentsPerSource = try given.count(Limits.agentsPerSource)
        case .grpcMaxMessageSize: grpcMaxMessageBytes = try given.bytes(Limits.grpcMessageBytes)
        case .httpReadTimeout: httpReadTimeout = try given.duration(Limits.httpTimeout, zero: "no limit")
        case .httpWriteTimeout: httpWriteTimeout = try given.duration(Limits.httpTimeout, zero: "no limit")
        case .heartbeatInterval:
            heartbeatInterval = try given.duration(Limits.heartbeatInterval, zero: "the agents' own")
        case .ingestWorkers: ingestWorkers = try given.count(Limits.ingestWorkers)
        case .ringMaxSize: ringMaxBytes = try given.bytes(Limits.ringBytes)
        case .staleGrace: staleGrace = try given.duration(Limits.staleGrace)
        case .lifecycleInterval: lifecycleInterval = try given.duration(Limits.lifecycleInterval)
        case .spoolDirectory: spoolDirectory = try given.folder()
        case .spoolMaxSize: spoolMaxBytes = try given.bytes(Limits.spoolBytes)
        case .stateDirectory: stateDirectory = try given.folder()
        case .runtimeDirectory: runtimeDirectory = try given.folder()
        case .logLevel: logLevel = try given.oneOf()
        case .logFormat: logFormat = try given.oneOf()
        case .loggingLevel: logLevel = try given.upstreamLevel()
        case .loggingEnvironment: logFormat = given.upstreamFormat
        case .loggingModules: break
        case .loggingLevels: _ = try given.upstreamLevels()
        }
    }

    /// What must hold between settings. The error names the setting that is easier to change.
    func checkTogether(_ source: (SettingsFlag) -> SettingsError.Source) throws(SettingsError) {
        func refuse(_ flag: SettingsFlag, _ allowed: String) -> SettingsError {
            SettingsError(flag: flag, source: source(flag), value: text(of: flag) ?? "", allowed: allowed)
        }
        guard agentCleanupTimeout > agentHeartbeatTimeout else {
            throw refuse(
                .agentCleanupTimeout,
                "longer than \(SettingsFlag.agentHeartbeatTimeout.option), which is \(agentHeartbeatTimeout.goSyntax)")
        }
        let interval = heartbeatInterval == .zero ? Limits.agentsOwnHeartbeatInterval : heartbeatInterval
        guard agentHeartbeatTimeout == .zero || interval < agentHeartbeatTimeout else {
            let isTheirs = heartbeatInterval == .zero
            throw refuse(
                .heartbeatInterval,
                "shorter than \(SettingsFlag.agentHeartbeatTimeout.option), which is \(agentHeartbeatTimeout.goSyntax)"
                    + (isTheirs ? " (agents that are told none beat every \(interval.goSyntax))" : ""))
        }
        let leastRingBytes = Limits.ringBytes(forMessageBytes: grpcMaxMessageBytes)
        guard ringMaxBytes >= leastRingBytes else {
            throw refuse(
                .ringMaxSize,
                "at least \(ByteSize.format(leastRingBytes)), 2.5 times \(SettingsFlag.grpcMaxMessageSize.option)")
        }
        guard grpcListenAddress.port == 0 || grpcListenAddress != httpListenAddress else {
            throw refuse(
                .httpListenAddress, "another address than \(SettingsFlag.grpcListenAddress.option)'s, which is the same"
            )
        }
    }
}

/// The text of one setting and the ways to read it. Every refusal says what is allowed, with an example.
struct GivenValue {
    let flag: SettingsFlag
    let source: SettingsError.Source
    let text: String

    func refuse(_ allowed: String) -> SettingsError {
        SettingsError(flag: flag, source: source, value: text, allowed: allowed)
    }

    func address() throws(SettingsError) -> ListenAddress {
        guard let address = ListenAddress(text) else {
            throw refuse(
                "an address with a port from 0 to 65535, "
                    + "such as :17912, 127.0.0.1:17912, localhost:17912 or [::1]:17912"
            )
        }
        return address
    }

    /// - Parameter zero: what zero means, where that is below the range and allowed all the same.
    func duration(_ range: ClosedRange<Duration>, zero: String? = nil) throws(SettingsError) -> Duration {
        guard let duration = Duration(goSyntax: text), range.contains(duration) || zero != nil && duration == .zero
        else {
            throw refuse(
                (zero.map { "0 (\($0)) or " } ?? "")
                    + "a duration from \(range.lowerBound.goSyntax) to \(range.upperBound.goSyntax), with its unit, "
                    + "such as 15s, 1h30m or 250ms"
            )
        }
        return duration
    }

    func count(_ range: ClosedRange<Int>) throws(SettingsError) -> Int {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let number = Int(text),
            range.contains(number)
        else { throw refuse("a whole number from \(range.lowerBound) to \(range.upperBound)") }
        return number
    }

    func bytes(_ range: ClosedRange<Int>) throws(SettingsError) -> Int {
        guard let bytes = ByteSize.parse(text), range.contains(bytes) else {
            throw refuse(
                "a size from \(ByteSize.format(range.lowerBound)) to \(ByteSize.format(range.upperBound)), "
                    + "in bytes or with a unit, such as 33554432, 512KiB, 80MiB or 2GiB"
            )
        }
        return bytes
    }

    func folder() throws(SettingsError) -> String? {
        guard !text.utf8.contains(0) else { throw refuse("a path") }
        return text.isEmpty ? nil : text
    }

    func oneOf<Choice: CaseIterable & RawRepresentable<String>>() throws(SettingsError) -> Choice {
        guard let choice = Choice(rawValue: text) else {
            throw refuse("one of " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return choice
    }
}
