// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import NIOCore
import Platform

/// The exporter's ways to the black box, for all features that answer out of it.
struct BlackBoxAccess {
    /// Of the database.
    let path: String
    let questions: BlackBoxQuestions
    let streams: BlackBoxStreams

    /// `nil`: nothing is recorded.
    init?(_ context: FeatureContext) throws {
        let settings = context.core.launch.settings
        guard settings.records, let folder = settings.blackBoxDirectory else { return nil }
        path = BlackBoxFile.path(in: folder)
        questions = try BlackBoxQuestions(path: path, loop: context.core.loop)
        streams = try BlackBoxStreams(path: path, loop: context.core.loop) { [unowned web = context.web] in
            web.server.evictSlowReader(holdsReport: true)
        }
    }
}
