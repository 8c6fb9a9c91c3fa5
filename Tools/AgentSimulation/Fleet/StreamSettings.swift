// SPDX-License-Identifier: Apache-2.0

/// Settings of the answers on the streams besides metrics.
public struct StreamSettings: Sendable {
    /// Streams on which agents never answer; they are open nevertheless.
    public var silent: Set<AgentMethod> = []
    /// Groups that the database has.
    public var groupCount = 4
    public var schemaFaults = SchemaFaults()
    /// Groups that a liaison cannot read from the registry.
    public var unreadableGroups: Set<String> = []
    /// So many liaisons, from the first on, cannot read the registry at all.
    public var unreadableRegistryCount = 0
    /// Of each agent.
    public var crashRecordCount = 2
    /// Moments of high memory for which an agent has profiles.
    public var profileCount = 1
    /// Of a heap profile.
    public var profileBytes = 3 << 20
    /// Keys whose value is another one on every second node of a role, see ``NodeConfigurations``.
    public var configurationDifferenceCount = 0

    public init() {}

    /// The names of the first `count` groups.
    public static func groupNames(count: Int) -> [String] {
        SchemaCatalogue(groupCount: count, seed: 0).groups.map(\.name)
    }
}
