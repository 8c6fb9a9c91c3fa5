// SPDX-License-Identifier: Apache-2.0
import Rings

/// Types of the records in the rings. `identity`, `series` and `sample` are known to `Rings` too, which keeps
/// their positions in the agent's slot.
extension RecordType {
    // Data rings: from an ingest worker to the exporter.
    /// The end of a collection: ``CollectionOutcome``.
    public static let roundDone = RecordType(rawValue: 5)
    /// One answer to a window request (payload of `Metrics.WindowColumns`).
    public static let window = RecordType(rawValue: 4)
    /// The end of a window collection: ``CollectionOutcome``. The subject says how many `window` records went before it, so
    /// that a reader notices when one of them is lost.
    public static let windowDone = RecordType(rawValue: 13)
    // Records 6 to 10 and 12 bring what streams answer: ``AgentStream``.
    /// The end of a collection of one of these: ``CollectionOutcome``.
    public static let answersDone = RecordType(rawValue: 14)
    /// An agent has been asked for a profile: the ``FetchCommand``. Chunks and ending of the same generation and number follow.
    public static let fetchBegun = RecordType(rawValue: 16)
    /// Bytes of a profile, as they are; the subject is their offset in it.
    public static let profileChunk = RecordType(rawValue: 11)
    /// The end of a download: ``FetchEnding``.
    public static let fetchEnded = RecordType(rawValue: 15)

    // Command rings: from the exporter to an ingest worker.
    /// Ask for the latest values: ``CollectCommand`` without a window.
    public static let collect = RecordType(rawValue: 32)
    /// Ask for a window: ``CollectCommand`` with one.
    public static let collectWindow = RecordType(rawValue: 33)

    /// Ask for what another stream gives: ``AskCommand``.
    public static let ask = RecordType(rawValue: 34)
    /// Download a profile: ``FetchCommand``.
    public static let fetchProfile = RecordType(rawValue: 35)
    /// How much of a download has been taken: ``FetchCredit``.
    public static let fetchCredit = RecordType(rawValue: 36)
    /// Nobody wants the download any more; its number says which. No payload.
    public static let fetchDrop = RecordType(rawValue: 37)
    /// Nobody waits for the window any more; its number says which. No payload.
    public static let windowDrop = RecordType(rawValue: 38)

    // The exporter's state ring.
    public static let schemaVerdict = RecordType(rawValue: 48)
    /// Records that an exporter was reading when it died of a fault: ``SuspectRecords``.
    public static let suspects = RecordType(rawValue: 49)

    /// The name people read in `fodc-ring dump`.
    public var name: String {
        switch self {
        case .identity: "identity"
        case .series: "series"
        case .sample: "sample"
        case .window: "window"
        case .roundDone: "round-done"
        case .windowDone: "window-done"
        case .profileChunk: "profile-chunk"
        case .collect: "collect"
        case .collectWindow: "collect-window"
        case .answersDone: "answers-done"
        case .fetchBegun: "fetch-begun"
        case .fetchEnded: "fetch-ended"
        case .ask: "ask"
        case .fetchProfile: "fetch-profile"
        case .fetchCredit: "fetch-credit"
        case .fetchDrop: "fetch-drop"
        case .windowDrop: "window-drop"
        case .suspects: "suspects"
        case .schemaVerdict: "schema-verdict"
        default: stream?.recordName ?? "type-\(rawValue)"
        }
    }
}
