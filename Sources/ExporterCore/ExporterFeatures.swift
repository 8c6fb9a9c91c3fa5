// SPDX-License-Identifier: Apache-2.0

/// The features of the exporter. A new one is a folder, and a line here.
enum ExporterFeatures {
    /// In the order in which `/` lists their endpoints.
    static func make(_ context: FeatureContext) throws -> [any Feature] {
        let metrics = MetricsFeature(context)
        let reports = ReportsFeature(context)
        let box = try BlackBoxAccess(context)
        let fleet = try FleetFeature(context)
        let windows = WindowsFeature(context, latest: metrics)
        let profiles = try ProfilesFeature(context, reports.sources, box)
        return [
            metrics,
            windows,
            HealthFeature(context),
            reports,
            fleet,
            try ClusterFeature(context, reports.sources),
            try GraphFeature(reports.sources, fleet),
            try TopologyFeature(reports.sources),
            try LifecycleFeature(context, reports.sources),
            try ConfigurationFeature(reports.sources),
            try DiagnosticsFeature(reports.sources, box),
            profiles,
            try RecordingFeature(context, metrics, windows, profiles, reports.sources),
            BlackBoxFeature(context, reports.sources, box),
            SiteFeature(context),
        ]
    }
}
