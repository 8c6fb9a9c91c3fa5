// SPDX-License-Identifier: Apache-2.0

/// What people are told of an endpoint at `/`. The whole of it is in docs/openapi.yaml; a test holds that both list the
/// same paths.
struct EndpointDescription: Equatable {
    struct Parameter: Equatable {
        var name: String
        var meaning: String
    }

    /// As in docs/openapi.yaml; parts in braces stand for something.
    var path: String
    var summary: String
    var parameters: [Parameter] = []

    /// Whether the path can be asked for as it stands.
    var isConcrete: Bool { !path.utf8.contains(UInt8(ascii: "{")) }
}

extension EndpointDescription {
    private static let role = Parameter(name: "role", meaning: "only agents of this role, such as ROLE_DATA")
    private static let podName = Parameter(name: "pod_name", meaning: "only the agent of this pod")

    /// All that the exporter serves besides the page itself.
    static let all = [
        EndpointDescription(
            path: "/metrics", summary: "Latest values of all agents, for Prometheus", parameters: [role, podName]),
        EndpointDescription(
            path: "/metrics-windows", summary: "Values over a stretch of time, as JSON",
            parameters: [
                Parameter(name: "start_time", meaning: "RFC 3339; without both the latest values"),
                Parameter(name: "end_time", meaning: "RFC 3339"), role, podName,
            ]),
        EndpointDescription(path: "/health", summary: "How the proxy is, and how many agents it has"),
        EndpointDescription(path: "/-/healthy", summary: "For probes: 200 while the proxy answers"),
        EndpointDescription(path: "/-/ready", summary: "For probes: 200 while it takes agents and scrapes, else 503"),
        EndpointDescription(
            path: "/cluster", summary: "Agents in the registry: streams, addresses, last heartbeats",
            parameters: [
                role, podName,
                Parameter(name: "status", meaning: "online or unconnected"),
                Parameter(name: "label.KEY", meaning: "only agents whose label KEY has this value"),
            ]),
        EndpointDescription(path: "/cluster/topology", summary: "Nodes of the cluster and the calls between them"),
        EndpointDescription(
            path: "/cluster/lifecycle", summary: "Groups, segments and reports; whether schemas agree with the registry"
        ),
        EndpointDescription(
            path: "/cluster/config", summary: "How nodes are configured, and where nodes of one role differ",
            parameters: [Parameter(name: "agent_id", meaning: "only this agent"), role, podName]),
        EndpointDescription(
            path: "/diagnostics", summary: "Crash records of all agents, newest first", parameters: [role, podName]),
        EndpointDescription(
            path: "/pressure-profiles", summary: "Profiles taken under memory pressure, newest first",
            parameters: [role, podName]),
        EndpointDescription(
            path: "/pressure-profiles/{pod_name}/{profile_id}/{type}",
            summary: "Download of one of these profiles, for pprof",
            parameters: [
                Parameter(name: "pod_name", meaning: "as in /pressure-profiles"),
                Parameter(name: "profile_id", meaning: "as in /pressure-profiles"),
                Parameter(name: "type", meaning: "heap or goroutine"),
            ]),
        EndpointDescription(path: "/openapi.yaml", summary: "All of this for programs, as OpenAPI"),
    ]
}
