// SPDX-License-Identifier: Apache-2.0
import Settings

/// Programs and settings that a reload is to bring into service.
struct ReloadOrder {
    /// As far as this version knows them.
    var settings: ProxySettings
    /// The command line that stands for them, with what a later version may know.
    var arguments: [String]
    /// `FODC_…` and systemd's folders as whoever asks has them; `nil`: as they are.
    var environment: [(name: String, value: String)]?
    var programs: ProgramPaths
}

/// How the last reload went.
struct ReloadOutcome {
    /// Wall clock.
    var atNanoseconds: Int64
    /// Why it came to nothing; `nil`: it is in service.
    var failure: String?
}
