// SPDX-License-Identifier: Apache-2.0
import Credentials
import Testing
import TransportSecurity

@testable import WebConfig

struct AccessTokensTests {
    private func tokens(_ text: String) throws -> AccessTokens {
        var files = ReadFiles()
        let file = TestFile(text)
        return try AccessTokens(path: file.path, files: &files)
    }

    private func reason(_ text: String) -> String {
        let file = TestFile(text)
        var files = ReadFiles()
        do throws(ConfigurationFileError) {
            _ = try AccessTokens(path: file.path, files: &files)
            return "no error"
        } catch {
            return error.description.replacing(file.path, with: "FILE")
        }
    }

    @Test func accessTokens_areFoundByTheirHash() throws {
        let one = AccessToken.make()
        let other = AccessToken.make()
        let tokens = try tokens(
            """
            - {name: prometheus, sha256: "\(AccessToken.hexText(AccessToken.hash(one)))", scopes: [metrics]}
            - name: people
              sha256: \(AccessToken.hexText(AccessToken.hash(other)).uppercased())
              scopes: [read, profiles]
              paths: ["/cluster*", /diagnostics]
            """)
        #expect(tokens.entries.count == 2)
        let first = try #require(tokens.entry(ofToken: one))
        #expect(first.name == "prometheus" && first.scopes == [.metrics] && first.allows(path: "/anything"))
        let second = try #require(tokens.entry(ofToken: other))
        #expect(second.scopes == [.read, .profiles])
        #expect(second.allows(path: "/cluster/topology") && second.allows(path: "/diagnostics"))
        #expect(!second.allows(path: "/diagnostics/") && !second.allows(path: "/metrics"))
        #expect(tokens.entry(ofToken: one + "x") == nil && tokens.entry(ofToken: "") == nil)
        #expect(try self.tokens("[]").entries.isEmpty)
    }

    @Test(arguments: [
        ("", "FILE is empty"), ("a: b", "tokens: must be a list"), ("- x", "tokens[0]: must be a mapping"),
        ("- {name: a b, sha256: ff, scopes: [read]}", "tokens[0].name: name must be 1 to 64 letters"),
        ("- {sha256: ff, scopes: [read]}", "tokens[0]: name must be"),
        ("- {name: a, scopes: [read]}", "tokens[0]: sha256 must be 64 hexadecimal digits"),
        ("- {name: a, sha256: ff, scopes: [read]}", "tokens[0].sha256: sha256 must be 64"),
        ("- {name: a, sha256: HASH}", "tokens[0]: scopes must name at least one"),
        ("- {name: a, sha256: HASH, scopes: [admin]}", "tokens[0].scopes[0]: must be one of metrics, read, profiles"),
        ("- {name: a, sha256: HASH, scopes: []}", "tokens[0].scopes: scopes must name"),
        ("- {name: a, sha256: HASH, scopes: [read], paths: []}", "tokens[0].paths: is an empty list"),
        ("- {name: a, sha256: HASH, scopes: [read], paths: [metrics]}", "tokens[0].paths[0]: must be a path"),
        ("- {name: a, sha256: HASH, scopes: [read], paths: ['/a*b']}", "tokens[0].paths[0]: must be a path"),
        ("- {name: a, sha256: HASH, scopes: [read], token: x}", "tokens[0].token: is not known here"),
        (
            "- {name: a, sha256: HASH, scopes: [read]}\n- {name: a, sha256: HASH, scopes: [read]}",
            "FILE, line 2: tokens[1]: there is another token with the name a"
        ),
    ])
    func accessTokens_rejectAnInvalidFileWithItsKey(text: String, expected: String) {
        let hash = AccessToken.hexText(AccessToken.hash("x"))
        #expect(reason(text.replacing("HASH", with: hash)).contains(expected))
    }
}
