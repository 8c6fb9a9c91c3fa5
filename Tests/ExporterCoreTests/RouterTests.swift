// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import ExporterCore

@Suite struct RouterTests {
    private let router = Router(
        ["/", "/things", "/things/{pod}/{id}"].map { Endpoint(path: $0) { _, _ in } })

    /// Anybody can ask for any path; metrics have the paths that are ours.
    @Test(
        arguments: [
            ("/", "/"), ("/things", "/things"), ("/things/a/b", "/things/{pod}/{id}"), ("/things/a/b/c", "other"),
            ("/things/a", "other"), ("/things//b", "other"), ("/things/", "other"),
            ("/things/{pod}/{id}", "/things/{pod}/{id}"),
            ("", "other"),
        ])
    func router_labelsRequestsWithKnownPathsOnly(path: String, label: String) {
        #expect(router.label(of: path) == label)
    }

    @Test func router_ignoresRequestsWithoutAPath() { #expect(router.label(of: nil) == "none") }
}
