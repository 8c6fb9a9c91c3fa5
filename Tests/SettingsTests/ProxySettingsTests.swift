// SPDX-License-Identifier: Apache-2.0
import Settings
import Testing

@Suite struct ProxySettingsTests {
    private static let machine = MachineLimits(cpus: 2, memoryBytes: nil)

    private func resolve(
        _ flags: [(SettingsFlag, String)] = [], _ environment: [String: String] = [:],
        _ machine: MachineLimits = ProxySettingsTests.machine
    ) throws(SettingsError) -> ProxySettings {
        try ProxySettings.resolve(
            flags: flags.map { (flag: $0.0, value: $0.1) }, environment: { environment[$0] }, machine: machine)
    }

    @Test func proxySettings_haveTheDefaultsOfTheContract() throws {
        let texts = Dictionary(
            uniqueKeysWithValues: try resolve().flagValues.map { ($0.flag.rawValue, $0.value) })
        #expect(
            texts == [
                "grpc-listen-addr": ":17912", "http-listen-addr": ":17913", "agent-heartbeat-timeout": "30s",
                "grpc-tls-listen-addr": "none", "grpc-tls-client-auth": "none",
                "agent-cleanup-timeout": "5m0s", "max-agents": "1000", "grpc-max-msg-size": "33554432",
                "max-agents-per-connection": "256",
                "http-read-timeout": "10s", "http-write-timeout": "10s", "heartbeat-interval": "10s",
                "health-requires-auth": "false",
                "ingest-workers": "2", "ring-max-size": "2GiB", "stale-grace": "15s", "log-level": "info",
                "log-format": "text", "lifecycle-interval": "5m0s", "spool-max-size": "1GiB",
                "sandbox": "best-effort", "core-dumps": "off",
                "record-interval": "10s", "black-box-max-size": "1GiB", "black-box-max-age": "168h0m0s",
                "black-box-profiles-max-size": "512MiB", "black-box-incidents": "1000",
            ])
    }

    /// Each flag with values that are right.
    @Test(
        arguments: [
            (.grpcListenAddress, "127.0.0.1:1"), (.httpListenAddress, "[::1]:0"), (.agentHeartbeatTimeout, "11s"),
            (.agentCleanupTimeout, "31s"), (.agentCleanupTimeout, "168h0m0s"), (.maxAgents, "1"), (.maxAgents, "50000"),
            (.maxAgentsPerConnection, "0"), (.maxAgentsPerConnection, "50000"), (.maxAgentsPerSource, "0"),
            (.maxAgentsPerSource, "50000"),
            (.grpcMaxMessageSize, "1024"), (.grpcMaxMessageSize, "268435456"), (.httpReadTimeout, "100ms"),
            (.httpReadTimeout, "0s"),
            (.httpWriteTimeout, "1h0m0s"), (.httpWriteTimeout, "0s"), (.heartbeatInterval, "1s"),
            (.heartbeatInterval, "0s"),
            (.agentHeartbeatTimeout, "0s"), (.agentHeartbeatTimeout, "4s"), (.agentHeartbeatTimeout, "2s"),
            (.heartbeatInterval, "29.999s"),
            (.ingestWorkers, "1"),
            (.ingestWorkers, "64"), (.ringMaxSize, "80MiB"), (.ringMaxSize, "8GiB"), (.staleGrace, "0s"),
            (.staleGrace, "5m0s"),
            (.stateDirectory, "/var/lib/x"), (.runtimeDirectory, "/run/x"), (.logLevel, "trace"), (.logLevel, "error"),
            (.logFormat, "json"), (.lifecycleInterval, "0s"), (.lifecycleInterval, "24h0m0s"),
            (.spoolDirectory, "/var/tmp"),
            (.spoolMaxSize, "1MiB"), (.spoolMaxSize, "1024GiB"),
            (.recordInterval, "0s"), (.recordInterval, "1s"), (.recordInterval, "1h0m0s"),
            (.blackBoxDirectory, "/srv/x"),
            (.blackBoxMaxSize, "16MiB"), (.blackBoxMaxAge, "1h0m0s"), (.blackBoxProfilesMaxSize, "16MiB"),
            (.blackBoxIncidents, "1"), (.blackBoxIncidents, "100000"),
            (.grpcTLSListenAddress, "none"), (.grpcTLSClientAuth, "none"), (.grpcAllowFrom, "10.0.0.0/8,::1"),
        ] as [(SettingsFlag, String)])
    func proxySettings_acceptValidValues(flag: SettingsFlag, value: String) throws {
        #expect(try resolve([(flag, value)]).text(of: flag) == value)
        #expect(try resolve([], [flag.environmentVariable: value]).text(of: flag) == value)
    }

    /// Each flag with values that are wrong, and a part of what is said then.
    @Test(
        arguments: [
            (.grpcListenAddress, "17912", "an address with a port"),
            (.httpListenAddress, "[::1]", "an address with a port"),
            (.httpListenAddress, ":17912", "another address than --grpc-listen-addr's"),
            (.agentHeartbeatTimeout, "30", "a duration from 2s to 24h0m0s"),
            (.agentHeartbeatTimeout, "1s", "a duration from 2s"),
            (.agentHeartbeatTimeout, "5m", "longer than --agent-heartbeat-timeout, which is 5m0s"),
            (.agentCleanupTimeout, "30s", "longer than --agent-heartbeat-timeout, which is 30s"),
            (.agentCleanupTimeout, "169h", "to 168h0m0s"), (.maxAgents, "0", "a whole number from 1 to 50000"),
            (.maxAgents, "50001", "from 1 to 50000"), (.maxAgents, "-1", "from 1 to 50000"),
            (.maxAgents, "", "from 1 to 50000"),
            (.maxAgents, "1e3", "from 1 to 50000"), (.maxAgents, "99999999999999999999", "from 1 to 50000"),
            (.grpcMaxMessageSize, "1023", "a size from 1KiB to 256MiB"),
            (.grpcMaxMessageSize, "257MiB", "a size from 1KiB"),
            (.httpReadTimeout, "99ms", "0 (no limit) or a duration from 100ms"),
            (.httpWriteTimeout, "ten", "a duration from 100ms to 1h0m0s"),
            (.heartbeatInterval, "999ms", "a duration from 1s"),
            (.heartbeatInterval, "30s", "shorter than --agent-heartbeat-timeout, which is 30s"),
            (.ingestWorkers, "0", "a whole number from 1 to 64"), (.ingestWorkers, "65", "a whole number from 1 to 64"),
            (.ringMaxSize, "79MiB", "a size from 80MiB to 8GiB"), (.ringMaxSize, "9GiB", "a size from 80MiB to 8GiB"),
            (.lifecycleInterval, "25h", "a duration from 0s to 24h0m0s"),
            (.spoolMaxSize, "1023KiB", "a size from 1MiB to 1024GiB"),
            (.staleGrace, "-1s", "a duration from 0s to 5m0s"), (.staleGrace, "301s", "a duration from 0s to 5m0s"),
            (.logLevel, "loud", "one of trace, debug, info, warning, error"), (.logFormat, "xml", "one of text, json"),
            (.loggingLevel, "loud", "one of trace, debug, info, warn, error"),
            (.loggingModules, "fodc-proxy", "lists of equal length in --logging-modules (1) and --logging-levels (0)"),
        ] as [(SettingsFlag, String, String)])
    func proxySettings_rejectInvalidValues(flag: SettingsFlag, value: String, allowed: String) {
        let error = #expect(throws: SettingsError.self) { try resolve([(flag, value)]) }
        #expect(error?.allowed.contains(allowed) == true, "\(String(describing: error))")
        // The message names a flag, its value and what is allowed, in one line.
        let line = error?.description ?? ""
        #expect(line.hasPrefix("--") && line.contains("is not allowed; must be ") && !line.contains("\n"))
    }

    @Test func proxySettings_nameTheSourceOfAnInvalidValue() {
        let error = #expect(throws: SettingsError.self) { try resolve([], ["FODC_MAX_AGENTS": "many"]) }
        #expect(error?.description.hasPrefix("FODC_MAX_AGENTS (the environment's --max-agents): \"many\"") == true)
    }

    @Test func proxySettings_preferFlagsToTheEnvironmentAndLaterToEarlier() throws {
        let settings = try resolve(
            [(.maxAgents, "5"), (.maxAgents, "6")],
            ["FODC_MAX_AGENTS": "7", "FODC_LOG_FORMAT": "json", "FODC_LOG_LEVEL": ""])
        #expect(settings.maxAgents == 6)
        #expect(settings.logFormat == .json)
        #expect(settings.logLevel == .info)
    }

    @Test(arguments: [("4s", "1s"), ("2s", "1s"), ("12s", "4s"), ("30s", "10s"), ("4m", "10s"), ("0", "10s")])
    func proxySettings_deriveTheHeartbeatIntervalFromTheTimeout(timeout: String, interval: String) throws {
        #expect(try resolve([(.agentHeartbeatTimeout, timeout)]).text(of: .heartbeatInterval) == interval)
    }

    @Test func proxySettings_rejectATimeoutBelowTheAgentsOwnInterval() throws {
        let error = #expect(throws: SettingsError.self) {
            try resolve([(.agentHeartbeatTimeout, "4s"), (.heartbeatInterval, "0")])
        }
        #expect(error?.allowed.contains("beat every 10s") == true)
        #expect(try resolve([(.heartbeatInterval, "0")]).heartbeatInterval == .zero)
    }

    @Test func proxySettings_preferOwnVariablesToThoseOfTheGoProxy() throws {
        let upstream = ["BYDB_MAX_AGENTS": "5", "BYDB_LOGGING_LEVEL": "warn"]
        #expect(try resolve([], upstream).maxAgents == 5)
        #expect(try resolve([], upstream).logLevel == .warning)
        #expect(try resolve([], upstream.merging(["FODC_MAX_AGENTS": "6"]) { $1 }).maxAgents == 6)
        #expect(try resolve([(.maxAgents, "7")], upstream).maxAgents == 7)
        let error = #expect(throws: SettingsError.self) { try resolve([], ["BYDB_MAX_AGENTS": "many"]) }
        #expect(error?.description.hasPrefix("BYDB_MAX_AGENTS (the environment's --max-agents): \"many\"") == true)
    }

    /// Flags, environment, and the level and format that they come to.
    @Test(
        arguments: [
            ([(.loggingLevel, "DEBUG")], [:], .debug, .text),
            ([(.loggingLevel, "fatal"), (.loggingEnvironment, "prod")], [:], .error, .json),
            ([(.loggingEnvironment, "Dev")], [:], .info, .text),
            ([(.loggingEnvironment, "test")], [:], .info, .json),
            ([(.loggingModules, "measure,FODC-Proxy"), (.loggingLevels, "error,trace")], [:], .trace, .text),
            ([(.loggingModules, "measure"), (.loggingLevels, "error")], [:], .info, .text),
            // The module's own level is nearer than the root's; ours wins over both, of the same source.
            (
                [(.loggingLevel, "error"), (.loggingModules, "fodc-proxy"), (.loggingLevels, "debug")], [:], .debug,
                .text
            ),
            ([(.loggingLevel, "error"), (.logLevel, "trace")], [:], .trace, .text),
            ([(.loggingLevel, "error")], ["FODC_LOG_LEVEL": "trace", "FODC_LOG_FORMAT": "json"], .error, .json),
            ([], ["FODC_LOGGING_LEVEL": "error", "BYDB_LOGGING_ENV": "prod"], .error, .json),
            ([], ["FODC_LOG_FORMAT": "text", "BYDB_LOGGING_ENV": "prod"], .info, .text),
        ] as [([(SettingsFlag, String)], [String: String], LogLevel, LogFormat)])
    func proxySettings_acceptLogSettingsOfTheGoProxy(
        flags: [(SettingsFlag, String)], environment: [String: String], level: LogLevel, format: LogFormat
    ) throws {
        let settings = try resolve(flags, environment)
        #expect(settings.logLevel == level)
        #expect(settings.logFormat == format)
        #expect(try ProxySettings(flagValues: settings.flagValues) == settings)
    }

    @Test func proxySettings_defaultToTheFoldersOfSystemd() throws {
        let variables = [
            "STATE_DIRECTORY": "/var/lib/fodc:/var/lib/other", "RUNTIME_DIRECTORY": "/run/fodc",
            "CACHE_DIRECTORY": "/var/cache/fodc", "TMPDIR": "/var/tmp",
        ]
        let settings = try resolve([], variables)
        #expect(settings.stateDirectory == "/var/lib/fodc")
        #expect(settings.runtimeDirectory == "/run/fodc")
        #expect(settings.spoolDirectory == "/var/cache/fodc")
        #expect(try resolve([], ["TMPDIR": "/var/tmp"]).spoolDirectory == "/var/tmp")
        // An empty flag says: none.
        #expect(try resolve([(.stateDirectory, "")], variables).stateDirectory == nil)
    }

    @Test func proxySettings_raiseTheDefaultRingSizeForLargeMessages() throws {
        let small = MachineLimits(cpus: 1, memoryBytes: 256 << 20)
        #expect(try resolve([], [:], small).ringMaxBytes == 80 << 20)
        #expect(try resolve([(.grpcMaxMessageSize, "64MiB")], [:], small).ringMaxBytes == 160 << 20)
        let error = #expect(throws: SettingsError.self) {
            try resolve([(.grpcMaxMessageSize, "64MiB"), (.ringMaxSize, "100MiB")])
        }
        #expect(error?.allowed == "at least 160MiB, 2.5 times --grpc-max-msg-size")
    }

    @Test(
        arguments: [
            (0.5, 1), (1, 1), (1.01, 2), (2, 2), (3.5, 4), (64, 4), (.infinity, 4),
        ] as [(Double, Int)])
    func proxySettings_deriveTheWorkerCountFromTheCPUs(cpus: Double, workers: Int) {
        #expect(MachineLimits(cpus: cpus, memoryBytes: nil).defaultIngestWorkers == workers)
    }

    @Test(
        arguments: [
            (nil, 1, 2 << 30), (UInt64(1) << 40, 4, 2 << 30), (4 << 30, 2, 512 << 20), (256 << 20, 1, 80 << 20),
        ] as [(UInt64?, Int, Int)])
    func proxySettings_deriveTheRingSizeFromTheMemory(memory: UInt64?, workers: Int, bytes: Int) {
        #expect(MachineLimits(cpus: 1, memoryBytes: memory).defaultRingBytes(workers: workers) == bytes)
    }

    @Test func proxySettings_decodeToTheEncodedValues() throws {
        let settings = try resolve([
            (.grpcListenAddress, "[::1]:5"), (.agentHeartbeatTimeout, "1m1.5s"), (.staleGrace, "0"),
            (.ringMaxSize, "83886081"),
            (.stateDirectory, "/a b=c,d"), (.logFormat, "json"),
        ])
        #expect(try ProxySettings(flagValues: settings.flagValues) == settings)
    }

    @Test func proxySettings_giveEveryFlagUniqueNames() {
        #expect(Set(SettingsFlag.allCases.map(\.environmentVariable)).count == SettingsFlag.allCases.count)
        #expect(SettingsFlag.grpcMaxMessageSize.environmentVariable == "FODC_GRPC_MAX_MSG_SIZE")
    }
}
