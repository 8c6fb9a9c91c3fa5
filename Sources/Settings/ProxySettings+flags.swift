// SPDX-License-Identifier: Apache-2.0

extension ProxySettings {
    /// Every setting as the text that ``init(flagValues:)`` reads back to the same value. Unset ones are left out.
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
    public func text(of flag: SettingsFlag) -> String? { flag.field.text(self) }

    /// Sets one setting from its text, alone; what holds between settings is ``checkTogether(_:)``'s.
    mutating func set(_ flag: SettingsFlag, to text: String, source: SettingsError.Source) throws(SettingsError) {
        try flag.field.take(GivenValue(flag: flag, source: source, text: text), &self)
    }

    /// Rules between settings. The error names the setting that is easier to change.
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
        try checkListeners(refuse)
    }
}
