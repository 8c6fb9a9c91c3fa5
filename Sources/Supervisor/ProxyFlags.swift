// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Settings

/// The command line. Values are only collected here; what they mean and may be is `ProxySettings`' business, so that the
/// environment's values go through the same checks.
struct ProxyFlags: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fodc-proxy",
        abstract: "Gathers what BanyanDB's FODC agents know, and serves it to Prometheus and people.",
        usage: """
            fodc-proxy [--flag VALUE | --flag=VALUE]...
            fodc-proxy ctl COMMAND...
            """,
        discussion: """
            Agents connect by gRPC to port 17912, Prometheus scrapes http://HOST:17913/metrics. Without any flag it \
            serves on these ports of every address:

              fodc-proxy
              fodc-proxy --http-listen-addr=127.0.0.1:17913 --stale-grace=30s
              FODC_MAX_AGENTS=5000 fodc-proxy --ingest-workers=4 --log-format=json

            Every flag can also come from the environment: --max-agents is FODC_MAX_AGENTS. A flag wins over the \
            environment, an empty variable counts as none. The Go proxy's BYDB_MAX_AGENTS is taken where neither is set.

            Durations are written as in Go: 250ms, 15s, 1h30m. Sizes are in bytes or with a unit: 33554432, 80MiB, 2GiB. \
            Addresses are :PORT, HOST:PORT or [IPV6]:PORT.

            What runs is asked and changed with "fodc-proxy ctl": status, scale, restart, drain, log-level, reload; \
            "fodc-proxy ctl --help" tells how. "fodc-proxy --check" with all flags only says whether it would start.

            Exit codes: 0 ended by SIGTERM or SIGINT, 1 could not start or go on, 2 wrong usage.
            """,
        version: "fodc-proxy \(ProxyVersion.current)")

    @OptionGroup var settings: SettingFlags

    @Flag(
        name: .customLong("check"),
        help: "Only look whether it would start: the flags, the workers' programs. Prints a line.")
    var isCheck = false

    @Option(
        name: .customLong("env-file"),
        help: ArgumentHelp(
            "With --check: file of FODC_ variables that count where the environment has none; empty for none. Default "
                + EnvironmentFile.standardPath, valueName: "PATH"))
    var environmentFile: String?
}
