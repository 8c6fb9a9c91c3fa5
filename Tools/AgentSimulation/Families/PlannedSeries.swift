// SPDX-License-Identifier: Apache-2.0

/// One series that all agents of one kind have, up to the pod's name.
public struct PlannedSeries: Sendable {
    public let name: String
    /// All labels but `pod_name`, no order meant.
    public let labels: [(name: String, value: String)]
    /// Whether the agent adds `pod_name`: not to what it measures in the kernel.
    public let hasPodName: Bool
    public let type: SampleType
    /// Empty for components of histograms and summaries.
    public let help: String
    public let model: ValueModel
    /// The same for all components of one histogram or summary, see ``ValueModel``.
    public let childKey: UInt64
    /// FNV-1a of ``ValueSource/seriesText(name:labels:)``.
    public let textKey: UInt64

    public func labels(podName: String) -> [(name: String, value: String)] {
        hasPodName ? labels + [("pod_name", podName)] : labels
    }
}
