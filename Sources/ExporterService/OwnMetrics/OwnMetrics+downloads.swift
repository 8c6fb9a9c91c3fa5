// SPDX-License-Identifier: Apache-2.0
import Metrics

/// What there is to say of downloads of profiles.
extension OwnMetrics {
    func addDownloads(to builder: inout FamilyBuilder) {
        let ends =
            [("client_gone", downloads.clientsGone), ("completed", downloads.completed)]
            + DownloadFailure.allCases.map { ($0.rawValue, downloads.failures[$0] ?? 0) }
        builder.add(
            "fodc_proxy_downloads_total", .counter, "Downloads of profiles that ended, by how.",
            ends.sorted { $0.0 < $1.0 }.map { ([("outcome", $0.0)], Double($0.1)) })
        builder.add(
            "fodc_proxy_downloads", .gauge, "Downloads of profiles under way or waiting for their agent.",
            Double(downloads.underWay))
        builder.add(
            "fodc_proxy_download_bytes_total", .counter, "Bytes of profiles handed to clients.", Double(downloads.bytes)
        )
        builder.add(
            "fodc_proxy_spool_bytes", .gauge,
            "Bytes of profiles in spool files, which their clients have not taken yet.", Double(downloads.spooledBytes))
        builder.add(
            "fodc_proxy_spool_peak_bytes", .gauge, "The most that there has been in spool files.",
            Double(downloads.spooledPeakBytes))
        builder.add(
            "fodc_proxy_spool_reserved_bytes", .gauge, "What of --spool-max-size is set aside for downloads under way.",
            Double(downloads.reservedBytes))
    }
}
