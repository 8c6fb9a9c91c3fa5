// SPDX-License-Identifier: Apache-2.0

/// The series of one agent as its ingest worker knows them: a table of texts, a way from hashes to places in it, and
/// the column of the newest values.
///
/// An agent sends everything it has each time, in a new order. A metric that is known costs a hash of its raw bytes and
/// a lookup; only one that is not is parsed. Not thread-safe: it lives on one event loop.
public final class AgentSeries {
    public let limits: SeriesLimits
    let key: HashKey
    let usesAES: Bool
    private(set) var enrichment: Enrichment

    /// Rises by one with each change of the table.
    public internal(set) var tableNumber: UInt32
    public internal(set) var seriesCount = 0
    /// Wire bytes of a sample in this agent's answers, learned from them: how large a window answer will be. Starts at
    /// an ordinary figure.
    public internal(set) var averageWireBytesPerSample = 256.0
    private var knowsWireBytes = false

    /// Sorted by name.
    var blocks: [SeriesBlock] = []
    /// `MetricType` of each series, in the order of the column.
    var types: [UInt8] = []
    var slots = SlotTable()
    var podNames = DistinctValues()
    var nodeRoles = DistinctValues()

    /// Values of the newest answer as bit patterns; `SampleBits.stale` where the answer had none.
    var column: [UInt64] = []
    /// Empty when all samples have `commonTime`.
    var times: [SampleTime] = []
    var commonTime: SampleTime = 0
    public internal(set) var receivedAtNanoseconds: Int64 = 0
    /// The bytes of a description are compared in every so many answers, its length in each: they hardly ever change while
    /// an agent runs, and a look costs a tenth of the walk. A change is there after so many answers at most.
    static let answersPerDescriptionCheck = 8
    /// Until the next look. Begins anywhere, so that not all agents have theirs in the same collection.
    private var answersToDescriptionCheck = Int.random(in: 0..<answersPerDescriptionCheck)

    /// Nobody has been told of the table yet, not even that it is empty.
    var isTableNew = true

    /// - Parameters:
    ///   - hashKey: random, one for the process: agents must not be able to foresee where their series go.
    ///   - firstTableNumber: a worker that succeeds another starts above its predecessor's numbers.
    public convenience init(
        limits: SeriesLimits, hashKey: (UInt64, UInt64), enrichment: Enrichment, firstTableNumber: UInt32 = 1
    ) {
        self.init(
            limits: limits, hashKey: hashKey, enrichment: enrichment, firstTableNumber: firstTableNumber,
            usesAES: AESHasher.isSupported)
    }

    init(
        limits: SeriesLimits, hashKey: (UInt64, UInt64), enrichment: Enrichment, firstTableNumber: UInt32, usesAES: Bool
    ) {
        self.limits = limits
        key = HashKey(hashKey)
        self.usesAES = usesAES
        self.enrichment = enrichment
        tableNumber = firstTableNumber
    }

    /// Other labels make other texts: when `new` differs, the table is forgotten (the result is true) and learned anew
    /// from the next answer.
    @discardableResult
    public func setEnrichment(_ new: Enrichment) -> Bool {
        guard new != enrichment else { return false }
        enrichment = new
        blocks = []
        types = []
        slots = SlotTable()
        podNames = DistinctValues()
        nodeRoles = DistinctValues()
        seriesCount = 0
        tableNumber &+= 1
        isTableNew = true
        forgetSample()
        return true
    }

    /// Leaves out table numbers up to this one, which somebody else has given out: whoever has been told of a table of this
    /// object has to be told again before what names it.
    public func skipTableNumbers(through number: UInt32) {
        precondition(number < .max, "numbers rise")
        tableNumber = max(tableNumber, number + 1)
    }

    /// The next answer's descriptions are compared: it may come from another program than the ones before.
    public func checkDescriptionsNext() { answersToDescriptionCheck = 0 }

    var isDescriptionCheckDue: Bool { answersToDescriptionCheck == 0 }

    func noteDescriptionsChecked() {
        answersToDescriptionCheck =
            (isDescriptionCheckDue ? Self.answersPerDescriptionCheck : answersToDescriptionCheck) - 1
    }

    /// Bytes that this agent costs, roughly.
    public var memoryBytes: Int {
        slots.byteCount + seriesCount * 9 + times.count * 8 + blocks.reduce(0) { $0 + $1.coded.count + 160 }
    }

    /// All series without a value.
    func forgetSample() {
        column = [UInt64](repeating: SampleBits.stale, count: seriesCount)
        times = []
        commonTime = 0
    }

    func learnWireBytes(message: RawSpan, samples: Int) {
        guard samples > 0 else { return }
        let observed = Double(message.byteCount) / Double(samples)
        // A quarter of each new answer: it follows a change within a few scrapes and is not thrown by one.
        averageWireBytesPerSample += (observed - averageWireBytesPerSample) / (knowsWireBytes ? 4 : 1)
        knowsWireBytes = true
    }

    /// The time of the newest of the latest values, nanoseconds since the epoch; nil without any.
    public var newestSampleNanoseconds: Int64? {
        guard let newest = times.max() ?? (commonTime == 0 ? nil : commonTime) else { return nil }
        return newest.nanosecondsSinceEpoch
    }
}
