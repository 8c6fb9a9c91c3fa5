// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Settings

/// Names the flags of a ``FlagSection``: option groups are told apart by their types.
protocol FlagSectionName {
    static var group: FlagGroup { get }
}

/// The flags of one group, as options of the argument parser.
///
/// The parser finds options by reflection, so the table of flags is shown to it as the properties of this type.
struct FlagSection<Name: FlagSectionName>: ParsableArguments, CustomReflectable {
    private var options: [(flag: SettingsFlag, option: Option<[String]>)]

    init() {
        options = Name.group.flags.map { ($0, Option($0)) }
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: FlagKey.self)
        options = try Name.group.flags.map { flag in
            (flag, try values.decode(Option<[String]>.self, forKey: FlagKey(stringValue: flag.rawValue)))
        }
    }

    var customMirror: Mirror {
        Mirror(self, children: options.map { (label: $0.flag.rawValue, value: $0.option as Any) })
    }

    /// The typed values: of a list all parts, of all others the last one.
    var given: [(flag: SettingsFlag, value: String)] {
        options.compactMap { flag, option in
            let values = option.wrappedValue
            return (flag.isList && !values.isEmpty ? values.joined(separator: ",") : values.last).map { (flag, $0) }
        }
    }
}

/// A flag's name as the key under which the parser keeps its values.
private struct FlagKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) { nil }
}

extension Option where Value == [String] {
    /// Any text is taken here, also one that begins with a dash, so that it is refused with its name and what is allowed.
    fileprivate init(_ flag: SettingsFlag) {
        self.init(
            wrappedValue: [], name: .customLong(flag.rawValue), parsing: .unconditionalSingleValue,
            help: ArgumentHelp(flag.help, valueName: flag.valueName))
    }
}

extension Option where Value == String? {
    /// A flag of the settings where it means something else than there.
    init(_ flag: SettingsFlag, help: String) {
        self.init(
            name: .customLong(flag.rawValue), parsing: .unconditional,
            help: ArgumentHelp(help, valueName: flag.valueName))
    }
}
