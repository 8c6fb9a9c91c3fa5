// SPDX-License-Identifier: Apache-2.0

import AgentSimulation
import ArgumentParser
import Dispatch
import Glibc
import Settings

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Connects the agents to a proxy and answers it.",
        discussion: """
            Everything that agents send is a function of the flags, the node and the time; the same seed sends the same. \
            Like real agents these send on all streams under one lock: a stream that the proxy does not read holds up \
            metrics and heartbeats too, and no list of profiles is answered while a download runs.

            --hang, --slow and --frozen concern all streams.

            A profile is one that pprof reads: a gzip member with stacks of calls that grow from capture to capture, then \
            members without content that fill it up to its size. Those are blocks of 4096 bytes. The extra field of block i \
            (from 0) is i as 8 bytes, little-endian, then words j = 1, 2, ... of 8 bytes, little-endian, the same in every \
            block: mix(key + j * 0x9E3779B97F4A7C15), key = mix(fnv1a("POD/PROFILE_ID/TYPE") xor mix(SEED)), all modulo 2^64; \
            mix is SplitMix64's (add 0x9E3779B97F4A7C15, then its finalizer), fnv1a has 64 bits.
            """)

    @OptionGroup var fleet: FleetOptions

    @Option(help: "Address of the proxy.")
    var proxy = "127.0.0.1:17912"

    @OptionGroup(title: "TLS") var security: SecurityOptions

    @OptionGroup(title: "Other streams") var others: StreamOptions

    @Option(help: "Agents that connect in a second; 0: all at once.")
    var connectRate = 0.0

    @Option(help: "Agents that leave in a second and come back over a new connection.")
    var churn = 0.0

    @Option(help: "Agents that answer late on every stream, as FRACTION:DELAY (0.1:2s).")
    var slow: String?

    @Option(help: "Fraction of agents that heartbeat but never answer.")
    var hang = 0.0

    @Option(help: "Fraction of agents that stop reading their sockets, as FRACTION or FRACTION:AFTER (0.1:5s).")
    var frozen: String?

    @Flag(help: "The first agent also sends odd values, names and labels.")
    var odd = false

    @Option(help: "The first agent sends what this Prometheus endpoint exports (http://host:port/metrics).")
    var scrape: String?

    @Option(help: "Event loops.")
    var threads = 1

    @Option(help: "End after this time.")
    var duration: GoDuration?

    @Option(help: "End after so many answers for metrics.")
    var exitAfter: Int?

    @Option(help: "Time between lines of status.")
    var reportInterval = GoDuration(.seconds(5))

    @Flag(help: "Write status as lines of JSON.")
    var json = false

    @Flag(help: "Tell why connections end.")
    var verbose = false

    func run() async throws {
        SimulatorUsage.raiseOpenFileLimit()
        let fleet = try SimulatedFleet(try settings()) { line in
            print(line)
            fflush(nil)  // all streams: a program that waits for a line must get it
        }
        signal(SIGPIPE, SIG_IGN)
        let signals = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { fleet.stop() }
            source.resume()
            return source
        }
        try await fleet.run()
        for signal in signals { signal.cancel() }
    }

    private func settings() throws -> FleetSettings {
        var settings = try fleet.settings()
        guard let endpoint = ProxyEndpoint(proxy) else {
            throw ValidationError("--proxy '\(proxy)': host:port is allowed.")
        }
        guard (1...64).contains(threads) else { throw ValidationError("--threads \(threads): 1 to 64 are allowed.") }
        for (flag, rate) in [("--connect-rate", connectRate), ("--churn", churn)] {
            guard rate >= 0, rate <= 1e6 else { throw ValidationError("\(flag) \(rate): 0 to 1000000 are allowed.") }
        }
        settings.proxy = endpoint
        settings.security = try security.settings()
        (settings.streams, settings.streamCount) = try others.settings()
        settings.threadCount = threads
        settings.connectsPerSecond = connectRate
        settings.churnPerSecond = churn
        settings.hangingFraction = try Share.fraction(of: hang, "--hang")
        settings.sendsOddMetrics = odd
        settings.duration = duration?.duration
        settings.exitAfterAnswers = exitAfter
        settings.reportInterval = reportInterval.duration
        settings.reportsAsJSON = json
        settings.isVerbose = verbose
        if let slow {
            let share = try Share(slow, "--slow")
            guard let delay = share.delay else { throw ValidationError("--slow '\(slow)': FRACTION:DELAY is allowed.") }
            settings.slow = (share.fraction, delay)
        }
        if let frozen {
            let share = try Share(frozen, "--frozen")
            settings.frozenFraction = share.fraction
            settings.freezeAfter = share.delay ?? settings.freezeAfter
        }
        if let scrape {
            guard let url = ScrapeURL(scrape) else {
                throw ValidationError("--scrape '\(scrape)': http://host[:port][/path] is allowed.")
            }
            settings.scrape = url
        }
        return settings
    }
}

/// A part of the agents and, for some flags, a time: `0.1` or `0.1:2s`.
private struct Share {
    let fraction: Double
    let delay: Duration?

    init(_ text: String, _ flag: String) throws {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let number = Double(parts[0]) else { throw ValidationError("\(flag) '\(text)': no number before ':'.") }
        fraction = try Self.fraction(of: number, flag)
        delay = parts.count > 1 ? GoDuration(argument: parts[1])?.duration : nil
        if parts.count > 1, delay == nil {
            throw ValidationError("\(flag) '\(text)': a time above 0 is allowed after ':', as in 2s.")
        }
    }

    static func fraction(of number: Double, _ flag: String) throws -> Double {
        guard (0...1).contains(number) else { throw ValidationError("\(flag) \(number): 0 to 1 are allowed.") }
        return number
    }
}
