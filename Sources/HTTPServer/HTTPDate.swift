// SPDX-License-Identifier: Apache-2.0
import Calendar
import Glibc

/// The `Date` header field (RFC 9110 section 6.6.1), made once a second.
struct HTTPDate {
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private var second = Int.min
    private var text = ""

    /// The present time as `Sun, 06 Nov 1994 08:49:37 GMT`.
    mutating func now() -> String {
        let present = time(nil)
        if present != second {
            second = present
            text = Self.text(secondsSinceEpoch: present)
        }
        return text
    }

    static func text(secondsSinceEpoch: Int) -> String {
        let time = CivilTime(secondsSinceEpoch: Int64(secondsSinceEpoch))
        return weekdays[time.weekday] + ", " + padded(time.day) + " " + months[time.month - 1] + " "
            + padded(time.year, width: 4) + " " + padded(time.hour) + ":" + padded(time.minute) + ":"
            + padded(time.second) + " GMT"
    }

    private static func padded(_ number: Int, width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
