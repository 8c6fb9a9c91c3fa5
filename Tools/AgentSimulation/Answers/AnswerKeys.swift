// SPDX-License-Identifier: Apache-2.0

/// Keys by which one agent's answers differ from those of its kind.
struct AnswerKeys: Sendable {
    let podName: PodNameStamp
    /// Of the values that move: depends on the seed too.
    let movingKey: UInt64
    /// Of the values that are fixed, see ``ValueSource/fixedValue(pod:seriesText:)``.
    let fixedKey: UInt64

    init(podName: String, seed: UInt64) {
        self.podName = PodNameStamp(Array(podName.utf8))
        fixedKey = StableHash.fnv1a(podName)
        movingKey = StableHash.mix(fixedKey ^ StableHash.mix(seed))
    }

    @inline(__always)
    func value(
        model: ValueModel, childKey: UInt64, textKey: UInt64, source: ValueSource, seconds: Int64
    ) -> Double {
        switch source {
        case .moving: model.value(key: StableHash.mix(childKey ^ movingKey), seconds: seconds)
        case .fixed: ValueSource.fixedValue(agentKey: fixedKey, seriesKey: textKey)
        }
    }
}
