// SPDX-License-Identifier: Apache-2.0
import Settings
import Testing

@Suite struct AgentIdentityPatternTests {
    @Test(
        arguments: [
            (
                "spiffe://cluster.local/ns/*/sa/banyandb", .uri, "spiffe://cluster.local/ns/prod/sa/banyandb", "any",
                true
            ),
            (
                "spiffe://cluster.local/ns/*/sa/banyandb", .uri, "spiffe://cluster.local/ns/a/b/sa/banyandb", "any",
                false
            ),
            ("spiffe://cluster.local/ns/*/sa/banyandb", .uri, "spiffe://cluster.local/ns//sa/banyandb", "any", false),
            ("spiffe://cluster.local/ns/*/sa/banyandb", .uri, "spiffe://cluster.local/ns/a/sa/banyandb2", "any", false),
            ("spiffe://cluster.local/ns/*/sa/banyandb", .uri, "xspiffe://cluster.local/ns/a/sa/banyandb", "any", false),
            ("spiffe://cluster.local/ns/*/sa/banyandb", .dns, "spiffe://cluster.local/ns/a/sa/banyandb", "any", false),
            ("spiffe://cluster.local/*", .uri, "spiffe://cluster.local/ns/a", "any", false),
            ("uri:spiffe://x/{pod_name}", .uri, "spiffe://x/data-0", "data-0", true),
            ("uri:spiffe://x/{pod_name}", .uri, "spiffe://x/DATA-0", "data-0", false),
            (
                "dns:{pod_name}.banyandb-headless.*", .dns, "data-0.banyandb-headless.ns.svc.cluster.local", "data-0",
                true
            ),
            ("dns:{pod_name}.banyandb-headless.*", .dns, "DATA-0.BanyanDB-headless.ns", "data-0", true),
            ("dns:{pod_name}.banyandb-headless.*", .dns, "data-1.banyandb-headless.ns", "data-0", false),
            ("dns:{pod_name}.banyandb-headless.*", .dns, "data-0.banyandb-headless.", "data-0", false),
            ("dns:{pod_name}.banyandb-headless.*", .dns, "x.data-0.banyandb-headless.ns", "data-0", false),
            ("dns:{pod_name}.banyandb-headless.*", .dns, "data-0.banyandb-headless.ns", "*", false),
            ("dns:*.example.org", .dns, "a.example.org", "any", true),
            ("dns:*.example.org", .dns, "a.b.example.org", "any", false),
            ("dns:*.example.org", .dns, ".example.org", "any", false),
            ("dns:a*b*c", .dns, "axbxbxc", "any", true), ("dns:a*b*c", .dns, "abc", "any", false),
            ("ip:10.1.2.3", .ip, "10.1.2.3", "any", true), ("ip:10.1.2.*", .ip, "10.1.2.77", "any", true),
            ("email:*@example.org", .email, "ops@example.org", "any", true),
            ("dns:{pod_name}", .dns, "data-0", "data-00", false), ("dns:{pod_name}{pod_name}", .dns, "aa", "a", true),
        ] as [(String, AgentIdentityPattern.Kind, String, String, Bool)])
    func pattern_matchesWholeNamesOfItsKind(
        text: String, kind: AgentIdentityPattern.Kind, name: String, pod: String, isMatch: Bool
    ) throws {
        let pattern = try #require(AgentIdentityPattern(text))
        #expect(pattern.matches(name, kind: kind, podName: pod) == isMatch)
        #expect(pattern.description == text)
    }

    @Test(arguments: [
        "", "none", "banyandb", "dns:", "uri:", "dns:{pod}", "dns:{pod_name", "dns:pod_name}", "dns:a b", "cn:x",
        "dns:é",
        "dns:" + String(repeating: "a", count: AgentIdentityPattern.limitBytes),
    ])
    func pattern_refusesWhatIsNone(text: String) { #expect(AgentIdentityPattern(text) == nil) }

    /// Many asterisks must not cost more than one pass each.
    @Test func pattern_takesNoLongerForAHostileName() throws {
        let pattern = try #require(AgentIdentityPattern("uri:" + String(repeating: "*a", count: 400) + "b"))
        #expect(!pattern.matches(String(repeating: "a", count: 2048), kind: .uri, podName: "any"))
    }
}
