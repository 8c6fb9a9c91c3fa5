// SPDX-License-Identifier: Apache-2.0
import Platform

/// The text of one setting and the ways to read it. Every refusal says what is allowed, with an example.
struct GivenValue {
    let flag: SettingsFlag
    let source: SettingsError.Source
    let text: String

    func refuse(_ allowed: String) -> SettingsError {
        SettingsError(flag: flag, source: source, value: text, allowed: allowed)
    }

    static let noAddress = "none"

    func address() throws(SettingsError) -> ListenAddress {
        guard let address = ListenAddress(text) else { throw refuse(Self.addresses) }
        return address
    }

    func optionalAddress() throws(SettingsError) -> ListenAddress? {
        guard text != Self.noAddress else { return nil }
        guard let address = ListenAddress(text) else { throw refuse("\(Self.addresses), or \(Self.noAddress)") }
        return address
    }

    private static let addresses =
        "an address with a port from 0 to 65535, such as :17912, 127.0.0.1:17912, localhost:17912 or [::1]:17912"

    func identityPattern() throws(SettingsError) -> AgentIdentityPattern? {
        guard !text.isEmpty else { return nil }
        guard let pattern = AgentIdentityPattern(text) else {
            throw refuse(
                "a URI, or dns:, uri:, email: or ip: and a name, with * for any characters and {pod_name} for the "
                    + "pod name of the registration, such as dns:{pod_name}.banyandb-headless.*")
        }
        return pattern
    }

    /// - Parameter zero: what zero means, where that is below the range and allowed all the same.
    func duration(_ range: ClosedRange<Duration>, zero: String? = nil) throws(SettingsError) -> Duration {
        guard let duration = Duration(goSyntax: text), range.contains(duration) || zero != nil && duration == .zero
        else {
            throw refuse(
                (zero.map { "0 (\($0)) or " } ?? "")
                    + "a duration from \(range.lowerBound.goSyntax) to \(range.upperBound.goSyntax), with its unit, "
                    + "such as 15s, 1h30m or 250ms"
            )
        }
        return duration
    }

    func count(_ range: ClosedRange<Int>) throws(SettingsError) -> Int {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let number = Int(text),
            range.contains(number)
        else { throw refuse("a whole number from \(range.lowerBound) to \(range.upperBound)") }
        return number
    }

    func bytes(_ range: ClosedRange<Int>) throws(SettingsError) -> Int {
        guard let bytes = ByteSize.parse(text), range.contains(bytes) else {
            throw refuse(
                "a size from \(ByteSize.format(range.lowerBound)) to \(ByteSize.format(range.upperBound)), "
                    + "in bytes or with a unit, such as 33554432, 512KiB, 80MiB or 2GiB"
            )
        }
        return bytes
    }

    func networks() throws(SettingsError) -> AddressRanges? {
        guard !text.isEmpty else { return nil }
        guard let ranges = AddressRanges(text) else {
            throw refuse(
                "a list of at most \(AddressRanges.limitRanges) networks or addresses with commas, "
                    + "such as 10.0.0.0/8,192.168.1.7,fd00::/8")
        }
        return ranges
    }

    func bool() throws(SettingsError) -> Bool {
        switch text {
        case "true": return true
        case "false": return false
        default: throw refuse("true or false")
        }
    }

    func folder() throws(SettingsError) -> String? {
        guard !text.utf8.contains(0) else { throw refuse("a path") }
        return text.isEmpty ? nil : text
    }

    func oneOf<Choice: CaseIterable & RawRepresentable<String>>() throws(SettingsError) -> Choice {
        guard let choice = Choice(rawValue: text) else {
            throw refuse("one of " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return choice
    }
}
