// SPDX-License-Identifier: Apache-2.0
import Platform

/// The field of ``ProxySettings`` that a flag sets: how its text is read, checked and written.
struct SettingsField: Sendable {
    typealias Field<Value> = WritableKeyPath<ProxySettings, Value> & Sendable

    /// The field as text that ``take`` reads back to the same value; `nil` if it is not set.
    let text: @Sendable (ProxySettings) -> String?
    let take: @Sendable (GivenValue, inout ProxySettings) throws(SettingsError) -> Void

    private init<Value>(
        _ field: Field<Value>, text: @escaping @Sendable (Value) -> String?,
        read: @escaping @Sendable (GivenValue) throws(SettingsError) -> Value
    ) {
        self.text = { text($0[keyPath: field]) }
        take = { (given, settings) throws(SettingsError) in settings[keyPath: field] = try read(given) }
    }

    /// Of a flag that says in other words what another one says: only that one's text is written.
    init(otherWords take: @escaping @Sendable (GivenValue, inout ProxySettings) throws(SettingsError) -> Void) {
        text = { _ in nil }
        self.take = take
    }

    static func address(_ field: Field<ListenAddress>) -> Self {
        Self(field, text: { $0.description }, read: { (given) throws(SettingsError) in try given.address() })
    }

    /// An address, or the word `none`.
    static func optionalAddress(_ field: Field<ListenAddress?>) -> Self {
        Self(
            field, text: { $0?.description ?? GivenValue.noAddress },
            read: { (given) throws(SettingsError) in try given.optionalAddress() })
    }

    static func identityPattern(_ field: Field<AgentIdentityPattern?>) -> Self {
        Self(
            field, text: { $0?.description },
            read: { (given) throws(SettingsError) in try given.identityPattern() })
    }

    /// - Parameter zero: what zero means, where that is below the range and allowed all the same.
    static func duration(_ field: Field<Duration>, _ range: ClosedRange<Duration>, zero: String? = nil) -> Self {
        Self(
            field, text: { $0.goSyntax },
            read: { (given) throws(SettingsError) in try given.duration(range, zero: zero) })
    }

    static func count(_ field: Field<Int>, _ range: ClosedRange<Int>) -> Self {
        Self(field, text: { String($0) }, read: { (given) throws(SettingsError) in try given.count(range) })
    }

    /// A count that follows from something else as long as nobody sets it.
    static func count(_ field: Field<Int?>, _ range: ClosedRange<Int>) -> Self {
        Self(
            field, text: { $0.map { String($0) } },
            read: { (given) throws(SettingsError) in try given.count(range) })
    }

    static func bytes(
        _ field: Field<Int>, _ range: ClosedRange<Int>, text: @escaping @Sendable (Int) -> String = ByteSize.format
    ) -> Self {
        Self(field, text: text, read: { (given) throws(SettingsError) in try given.bytes(range) })
    }

    /// Networks that connections may come from.
    static func networks(_ field: Field<AddressRanges?>) -> Self {
        Self(field, text: { $0?.description }, read: { (given) throws(SettingsError) in try given.networks() })
    }

    static func bool(_ field: Field<Bool>) -> Self {
        Self(field, text: { $0 ? "true" : "false" }, read: { (given) throws(SettingsError) in try given.bool() })
    }

    static func folder(_ field: Field<String?>) -> Self {
        Self(field, text: { $0 }, read: { (given) throws(SettingsError) in try given.folder() })
    }

    static func oneOf<Choice: CaseIterable & RawRepresentable<String> & Sendable>(_ field: Field<Choice>) -> Self {
        Self(field, text: { $0.rawValue }, read: { (given) throws(SettingsError) in try given.oneOf() })
    }
}
