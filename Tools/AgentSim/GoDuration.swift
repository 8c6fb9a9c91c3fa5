// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Settings

/// A duration above 0 in Go's syntax, as all flags of this project take it: `10s`, `1m30s`.
struct GoDuration: ExpressibleByArgument, CustomStringConvertible {
    let duration: Duration

    init(_ duration: Duration) {
        self.duration = duration
    }

    init?(argument: String) {
        guard let duration = Duration(goSyntax: argument), duration > .zero else { return nil }
        self.duration = duration
    }

    var description: String { duration.goSyntax }
    var defaultValueDescription: String { description }
}
