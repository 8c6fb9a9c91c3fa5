// SPDX-License-Identifier: Apache-2.0
import CSandbox
import Glibc

/// A filter's verdict on one system call, by its name. The filter leaves out names that a machine does not have.
struct SystemCallRule: Equatable, Sendable {
    enum Verdict: Equatable, Sendable {
        case allow
        /// It fails with this errno.
        case refuse(Int32)
        /// The process ends by SIGSYS, and its supervisor is told the name.
        case end
    }

    /// A condition on an argument, counted from 0.
    enum Condition: Equatable, Sendable {
        /// Of the bits of `mask` those of `value` are set and no others.
        case bits(argument: UInt32, mask: UInt64, value: UInt64)
        case notEqual(argument: UInt32, value: UInt64)
    }

    let name: String
    let verdict: Verdict
    /// All of them must hold.
    let conditions: [Condition]

    init(_ name: String, _ verdict: Verdict, _ conditions: Condition...) {
        (self.name, self.verdict, self.conditions) = (name, verdict, conditions)
    }

    /// `nil`: this machine has no such call.
    var compiled: fodc_sandbox_rule? {
        let number = fodc_sandbox_system_call(name)
        guard number >= 0 else { return nil }
        var rule = fodc_sandbox_rule()
        rule.system_call = number
        switch verdict {
        case .allow: rule.action = FODC_SANDBOX_ALLOW
        case .refuse(let code): (rule.action, rule.refused) = (FODC_SANDBOX_REFUSE, code)
        case .end: rule.action = FODC_SANDBOX_TRAP
        }
        precondition(conditions.count <= Int(FODC_SANDBOX_MOST_CONDITIONS), "more conditions than a rule holds")
        rule.condition_count = UInt32(conditions.count)
        if let first = conditions.first { rule.conditions.0 = Self.compiled(first) }
        if conditions.count > 1 { rule.conditions.1 = Self.compiled(conditions[1]) }
        return rule
    }

    private static func compiled(_ condition: Condition) -> fodc_sandbox_condition {
        switch condition {
        case .bits(let argument, let mask, let value):
            fodc_sandbox_condition(argument: argument, is_equal: 1, mask: mask, value: value)
        case .notEqual(let argument, let value):
            fodc_sandbox_condition(argument: argument, is_equal: 0, mask: 0, value: value)
        }
    }
}

extension SystemCallRule.Condition {
    private static let lowWord: UInt64 = 0xFFFF_FFFF

    /// An argument of the type `int`, of which the kernel looks at 32 bits.
    static func int(_ argument: UInt32, is value: Int32) -> Self {
        .bits(argument: argument, mask: lowWord, value: UInt64(UInt32(bitPattern: value)))
    }

    static func isNull(_ argument: UInt32) -> Self { .bits(argument: argument, mask: .max, value: 0) }
    static func isNotNull(_ argument: UInt32) -> Self { .notEqual(argument: argument, value: 0) }

    static func has(_ argument: UInt32, all bits: Int32) -> Self {
        let bits = UInt64(UInt32(bitPattern: bits))
        return .bits(argument: argument, mask: bits, value: bits)
    }

    static func has(_ argument: UInt32, noneOf bits: Int32) -> Self {
        .bits(argument: argument, mask: UInt64(UInt32(bitPattern: bits)), value: 0)
    }
}

extension Sequence<String> {
    /// A rule without conditions for each name.
    func rules(_ verdict: SystemCallRule.Verdict) -> [SystemCallRule] { map { SystemCallRule($0, verdict) } }
}
