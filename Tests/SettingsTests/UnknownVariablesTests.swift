// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Settings

@Suite struct UnknownVariablesTests {
    @Test func unknownVariables_nameMisspeltVariables() {
        let warnings = UnknownVariables.warnings(of: [
            "FODC_MAX_AGENT=7", "FODC_NONSENSE=", "FODC_MAX_AGENTS=7", "FODCX=1", "BYDB_NONSENSE=1", "FODC_PORT=17912",
        ])
        #expect(
            warnings == [
                "unknown variable FODC_MAX_AGENT is ignored; did you mean FODC_MAX_AGENTS?",
                "unknown variable FODC_NONSENSE is ignored",
                "unknown variable FODC_PORT is ignored",
            ])
    }

    /// Tests are built with the hooks.
    @Test func unknownVariables_doNotNameThoseOfTestHooks() {
        #expect(UnknownVariables.warnings(of: ["FODC_TEST_POISON=x"]).isEmpty)
        #expect(UnknownVariables.warnings(of: ["FODC_TESTING=x"]).count == 1)
    }

    @Test func unknownVariables_ignoreServiceVariablesOfKubernetes() {
        #expect(
            UnknownVariables.warnings(of: [
                "FODC_PROXY_SERVICE_HOST=10.0.0.1", "FODC_PROXY_SERVICE_PORT=17912",
                "FODC_PROXY_SERVICE_PORT_HTTP=17913",
                "FODC_PROXY_PORT=tcp://10.0.0.1:17912", "FODC_PROXY_PORT_17912_TCP=tcp://10.0.0.1:17912",
                "FODC_PROXY_PORT_17912_TCP_PROTO=tcp", "FODC_PROXY_PORT_17912_TCP_PORT=17912",
                "FODC_PROXY_PORT_17912_TCP_ADDR=10.0.0.1", "FODC_PORT=tcp://10.0.0.2:1",
            ]).isEmpty)
    }
}

@Suite struct EnvironmentFileTests {
    @Test func environmentFile_isParsedLikeSystemd() {
        let text = """
            # FODC_A=comment
            ; FODC_B=comment
            FODC_C=plain value \t
              FODC_D = "quoted # \\" kept "\u{20}
            FODC_E='single \\ kept'
            FODC_F=two\\
            lines
            FODC_C=later
            no assignment
            FODC_G=
            """
        #expect(
            EnvironmentFile.parse(text) == [
                "FODC_C": "later", "FODC_D": "quoted # \" kept ", "FODC_E": "single \\ kept", "FODC_F": "twolines",
                "FODC_G": "",
            ])
    }
}
