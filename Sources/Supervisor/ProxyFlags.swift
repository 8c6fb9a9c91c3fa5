// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Settings

/// The command line. Values are only collected here; what they mean and may be is `ProxySettings`' business, so that the
/// environment's values go through the same checks.
struct ProxyFlags: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fodc-proxy",
        abstract: "Collects metrics and reports from BanyanDB's FODC agents and serves them over HTTP.",
        usage: """
            fodc-proxy [--flag VALUE | --flag=VALUE]...
            fodc-proxy ctl COMMAND...
            """,
        discussion: """
            Agents connect by gRPC to port 17912, Prometheus scrapes http://HOST:17913/metrics. Without any flag it \
            listens on these ports of all addresses:

              fodc-proxy
              fodc-proxy --http-listen-addr=127.0.0.1:17913 --stale-grace=30s
              FODC_MAX_AGENTS=5000 fodc-proxy --ingest-workers=4 --log-format=json

            Every flag can also come from the environment: --max-agents is FODC_MAX_AGENTS. A flag overrides the \
            environment; an empty variable counts as not set. The Go proxy's BYDB_MAX_AGENTS is used if neither is set.

            Durations are written as in Go: 250ms, 15s, 1h30m. Sizes are in bytes or with a unit: 33554432, 80MiB, 2GiB. \
            Addresses are :PORT, HOST:PORT or [IPV6]:PORT.

            "fodc-proxy ctl" shows and changes the running service: status, scale, restart, drain, log-level, reload; see \
            "fodc-proxy ctl --help". "fodc-proxy --check" with all flags only checks whether it would start.

            Exit codes: 0 stopped by SIGTERM or SIGINT, 1 cannot start or continue, 2 wrong usage.
            """,
        version: "fodc-proxy \(ProxyVersion.current)")

    @OptionGroup var settings: SettingFlags

    @Flag(
        name: .customLong("check"),
        help: "Check flags, environment and the workers' programs, print a line, and exit.")
    var isCheck = false

    @Option(
        name: .customLong("env-file"),
        help: ArgumentHelp(
            "With --check: file of FODC_ variables, overridden by the environment; empty for none. Default "
                + EnvironmentFile.standardPath, valueName: "PATH"))
    var environmentFile: String?
}
