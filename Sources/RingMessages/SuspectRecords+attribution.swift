// SPDX-License-Identifier: Apache-2.0

extension SuspectRecords {
    /// A record that the predecessor was reading when it died of a fault of its own.
    public struct Attribution {
        public var name: RecordName
        /// It has died over it once too often.
        public var isPoison: Bool

        /// For the log.
        ///
        /// - Parameter reader: the worker's role.
        public func text(reader: String) -> String {
            isPoison
                ? "a record has crashed the \(reader) again: skipping it from now on"
                : "the previous \(reader) crashed while it read a record"
        }
    }

    /// Counts a death of the predecessor.
    ///
    /// - Parameter words: of the names of the records that it was reading, from the supervisor.
    public mutating func attribute(words: [UInt64]) -> [Attribution] {
        Set(words.map(RecordName.init(word:))).filter { $0 != .none }.map { name in
            Attribution(name: name, isPoison: attribute(name))
        }
    }
}
