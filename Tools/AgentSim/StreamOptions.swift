// SPDX-License-Identifier: Apache-2.0

import AgentSimulation
import ArgumentParser
import Settings

/// Options for the answers on the streams besides registration and metrics. Each answer is a function of these flags, the
/// fleet's seed and prefix, the node, and the time.
struct StreamOptions: ParsableArguments {
    @Option(
        help: """
            Streams of each agent, opened in this order: registration, metrics (2), topology, lifecycle, registry, \
            diagnostics, profiles (7: all of the agents that there are), configuration (8: the proxy's extension; a \
            proxy that does not know it is served without).
            """)
    var streams = 2

    @Option(help: "Streams that are open, but never answered on: names as for --streams, with commas between.")
    var silent: String?

    @Option(help: "Groups of the database, all with stages, segments and schema objects.")
    var groups = 4

    @Option(
        help: """
            Disagreements of the first data agent with the schema registry, each with a number of its lifecycle answers, \
            after which it is gone: missing, stale, not-applied, orphan (missing:2,orphan:5). All in the first group.
            """)
    var schemaFaults: String?

    @Option(help: "Group that liaisons cannot read from the registry. Can be given several times.")
    var registryError: [String] = []

    @Option(help: "So many liaisons, from the first on, fail to read the registry at all.")
    var registryFatal = 0

    @Option(help: "Crash records of each agent, with breadcrumbs and stacks of 2 to 6 KiB.")
    var crashRecords = 2

    @Option(help: "Moments for which each agent has profiles: a heap and a goroutine profile for each.")
    var profiles = 1

    @Option(help: "Size of a heap profile, as in 3MiB; it is never in memory.")
    var profileSize = FlagByteSize(bytes: 3 << 20)

    @Option(help: "Configuration keys that have another value on every second node of a role.")
    var configDifferences = 0

    func settings() throws -> (streams: StreamSettings, streamCount: Int) {
        guard (2...AgentMethod.allCases.count).contains(streams) else {
            throw ValidationError("--streams \(streams): 2 to \(AgentMethod.allCases.count) are allowed.")
        }
        var settings = StreamSettings()
        settings.silent = try silentStreams()
        settings.groupCount = try Self.checked(groups, "--groups", upTo: 1000)
        if let schemaFaults {
            guard let faults = SchemaFaults(schemaFaults) else {
                throw ValidationError(
                    "--schema-faults '\(schemaFaults)': kinds out of "
                        + "\(SchemaFaults.Kind.allCases.map(\.rawValue).joined(separator: ", ")) are allowed, each once, with "
                        + "0 to \(SchemaFaults.maximumRounds) answers, as in missing:2,orphan:5.")
            }
            settings.schemaFaults = faults
        }
        let names = StreamSettings.groupNames(count: groups)
        if let unknown = registryError.first(where: { !names.contains($0) }) {
            throw ValidationError(
                "--registry-error '\(unknown)': no such group; there are \(names.joined(separator: ", ")).")
        }
        settings.unreadableGroups = Set(registryError)
        settings.unreadableRegistryCount = try Self.checked(registryFatal, "--registry-fatal", upTo: 1_000_000)
        settings.crashRecordCount = try Self.checked(crashRecords, "--crash-records", upTo: 10_000)
        settings.profileCount = try Self.checked(profiles, "--profiles", upTo: 10_000)
        settings.profileBytes = try Self.checked(profileSize.bytes, "--profile-size", upTo: 1 << 40)
        settings.configurationDifferenceCount = try Self.checked(
            configDifferences, "--config-differences", upTo: NodeConfigurations.keys.count)
        return (settings, streams)
    }

    private func silentStreams() throws -> Set<AgentMethod> {
        guard let silent else { return [] }
        let methods = try silent.split(separator: ",", omittingEmptySubsequences: false).map { name in
            guard let method = AgentMethod.askable.first(where: { $0.shortName == name }) else {
                let names = AgentMethod.askable.map(\.shortName).joined(separator: ", ")
                throw ValidationError("--silent '\(silent)': streams out of \(names) are allowed.")
            }
            return method
        }
        return Set(methods)
    }

    private static func checked(_ value: Int, _ flag: String, upTo limit: Int) throws -> Int {
        guard (0...limit).contains(value) else { throw ValidationError("\(flag) \(value): 0 to \(limit) are allowed.") }
        return value
    }
}

/// A size as all flags of this project take it: `3MiB`, `4096`.
struct FlagByteSize: ExpressibleByArgument, CustomStringConvertible {
    let bytes: Int

    init(bytes: Int) {
        self.bytes = bytes
    }

    init?(argument: String) {
        guard let bytes = ByteSize.parse(argument) else { return nil }
        self.bytes = bytes
    }

    var description: String { ByteSize.format(bytes) }
    var defaultValueDescription: String { description }
}
