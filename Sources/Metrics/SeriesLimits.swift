// SPDX-License-Identifier: Apache-2.0

/// Limits of the memory that one agent may take in this process. Each limit is far above what a real BanyanDB node sends; they exist
/// because agents are not trusted.
public struct SeriesLimits: Sendable, Equatable {
    /// Series kept of one agent. Real nodes have some thousands; 200,000 cost about 12 MB in the worker and as much in
    /// the ring.
    public var maxSeriesPerAgent = 200_000
    /// Different names of one agent's metrics: real nodes have some hundreds. Each costs the exporter some microseconds
    /// whenever any agent's table has changed, however few series it has.
    public var maxNamesPerAgent = 10_000
    /// Labels of one series, those of the registration included. Prometheus's own advice is below 10; its `label_limit`
    /// is often set to 30.
    public var maxLabelsPerSeries = 64
    /// Labels of a registration that are put on the agent's series, beside pod name and role; further ones, in the order of
    /// their names, are left out. With any registration, an agent's series have room for 14 labels of their own: real
    /// ones have fewer than ten, and real registrations a handful.
    public var maxRegistrationLabels = 48
    /// Bytes of the names and values that a registration puts on every series, all together. 48 labels as long as
    /// Kubernetes lets a name and a value be (63 each) have 6 KiB.
    public var maxRegistrationLabelBytes = 16 << 10
    /// Bytes of a metric's or label's name. The longest names in the field have about 100.
    public var maxNameBytes = 1024
    /// Bytes of a label's value. Prometheus has no limit of its own, but a value is repeated in every answer.
    public var maxLabelValueBytes = 16 << 10
    /// Bytes of the rendered `name{labels} `. A line must fit a chunk of the answer with room to spare.
    public var maxTextBytesPerSeries = 64 << 10
    /// Slots for further encodings of series that are known already (labels in a form that Go's marshaller does not
    /// write). Above it such samples are still taken, but each is parsed anew.
    public var maxAliases = 4096
    /// Bytes of a description that are kept; the rest is cut off. It is one comment line of the answer.
    public var maxDescriptionBytes = 4 << 10
    /// Bytes of an agent's front-coded table. 200,000 ordinary series take 5 MB; a table that growth would carry beyond
    /// stays as it is.
    public var maxTableBytes = 16 << 20
    /// Bytes of texts that are made from one message; further new series of it are learned from the next.
    public var maxNewTextBytesPerMessage = 64 << 20
    /// Metrics and other fields of one message. A metric with name, labels and value has 60 bytes and more, so that 32 MiB,
    /// the largest message, have half as many at most. Empty ones have two: sixteen million take the loop for seconds.
    public var maxEntriesPerMessage = 1 << 20
    /// Different sample times in one window answer. A window of a day at one point every 5 s has 17,280.
    public var maxDistinctTimes = 1 << 20

    public init() {}
}
