// SPDX-License-Identifier: Apache-2.0
import FODCProtocol

// The names of enums' values as the `.proto` files have them; nil for a number that they do not name.

extension Banyandb_Database_V1_Role {
    var protoName: StaticString? {
        switch self {
        case .unspecified: "ROLE_UNSPECIFIED"
        case .meta: "ROLE_META"
        case .data: "ROLE_DATA"
        case .liaison: "ROLE_LIAISON"
        case .UNRECOGNIZED: nil
        }
    }
}

extension Banyandb_Common_V1_IntervalRule.Unit {
    var protoName: StaticString? {
        switch self {
        case .unspecified: "UNIT_UNSPECIFIED"
        case .hour: "UNIT_HOUR"
        case .day: "UNIT_DAY"
        case .UNRECOGNIZED: nil
        }
    }
}

extension Banyandb_Fodc_V1_ConsistencyStatus {
    var protoName: StaticString? {
        switch self {
        case .unspecified: "CONSISTENCY_STATUS_UNSPECIFIED"
        case .consistent: "CONSISTENCY_STATUS_CONSISTENT"
        case .inconsistent: "CONSISTENCY_STATUS_INCONSISTENT"
        case .unknown: "CONSISTENCY_STATUS_UNKNOWN"
        case .UNRECOGNIZED: nil
        }
    }
}

extension Banyandb_Fodc_V1_SchemaIssueType {
    var protoName: StaticString? {
        switch self {
        case .unspecified: "SCHEMA_ISSUE_TYPE_UNSPECIFIED"
        case .missingInCache: "SCHEMA_ISSUE_TYPE_MISSING_IN_CACHE"
        case .orphan: "SCHEMA_ISSUE_TYPE_ORPHAN"
        case .cacheStale: "SCHEMA_ISSUE_TYPE_CACHE_STALE"
        case .runtimeNotApplied: "SCHEMA_ISSUE_TYPE_RUNTIME_NOT_APPLIED"
        case .UNRECOGNIZED: nil
        }
    }
}
