// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Credentials
import Glibc

/// Makes a token by itself: no service needs to run, and none is told.
struct NewTokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new-token",
        abstract: "Makes a bearer token for the HTTP port, and its line for --http-tokens-file.",
        discussion: """
            The token is printed once and kept nowhere; the file has its hash. The running proxy takes a changed file into use \
            within seconds.

              fodc-proxy ctl new-token prometheus --scope metrics
              fodc-proxy ctl new-token oncall --scope read --scope profiles --path '/cluster*'

            Scopes: metrics (/metrics, /metrics-windows), profiles (/pressure-profiles…, /diagnostics), read (all else).
            """)

    @Argument(help: "By which logs call it: \(AccessToken.nameRule).") var name: String

    @Option(
        name: .customLong("scope"),
        help: ArgumentHelp("A scope of the token: metrics, read or profiles. Repeatable.", valueName: "scope"))
    var scopes: [String] = []

    @Option(
        name: .customLong("path"),
        help: ArgumentHelp(
            "Only this path of its scopes, or with * at the end those that begin so. As often as needed.",
            valueName: "path"))
    var paths: [String] = []

    func validate() throws {
        guard AccessToken.isName(name) else {
            throw ValidationError("\"\(name)\" is no name for a token; it must be \(AccessToken.nameRule)")
        }
        let known = AccessScope.allCases.map(\.rawValue).joined(separator: ", ")
        guard !scopes.isEmpty else { throw ValidationError("--scope is missing; there are \(known)") }
        for scope in scopes where AccessScope(rawValue: scope) == nil {
            throw ValidationError("--scope \"\(scope)\" is not known; there are \(known)")
        }
        for path in paths where PathPattern(path) == nil {
            throw ValidationError("--path \"\(path)\" is no path such as /metrics or /cluster/*")
        }
    }

    func run() throws {
        let token = AccessToken.make()
        let scopeList = AccessScope.allCases.filter { scopes.contains($0.rawValue) }.map(\.rawValue).joined(
            separator: ", ")
        // In single quotes YAML takes all but a quote as it is.
        let pathList = paths.map {
            "'" + $0.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
        }
        let pathPart = paths.isEmpty ? "" : ", paths: [\(pathList.joined(separator: ", "))]"
        let hash = AccessToken.hexText(AccessToken.hash(token))
        ProxyProgram.print(
            """
            # The token, for the client alone (Prometheus: authorization.credentials_file). It is not shown again.
            \(token)
            # Its line for --http-tokens-file:
            - {name: \(name), sha256: "\(hash)", scopes: [\(scopeList)]\(pathPart)}
            """, to: STDOUT_FILENO)
    }
}
