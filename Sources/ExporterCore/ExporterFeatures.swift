// SPDX-License-Identifier: Apache-2.0

/// The features of the exporter. A new one is a folder, and a line here.
enum ExporterFeatures {
    /// In the order in which `/` lists their endpoints.
    static func make(_ context: FeatureContext) throws -> [any Feature] {
        let metrics = MetricsFeature(context)
        let reports = ReportsFeature(context)
        return [
            metrics,
            WindowsFeature(context, latest: metrics),
            HealthFeature(context),
            reports,
            try ClusterFeature(context, reports.sources),
            try TopologyFeature(reports.sources),
            try LifecycleFeature(context, reports.sources),
            try ConfigurationFeature(reports.sources),
            try DiagnosticsFeature(reports.sources),
            try ProfilesFeature(context, reports.sources),
            SiteFeature(context),
        ]
    }
}
