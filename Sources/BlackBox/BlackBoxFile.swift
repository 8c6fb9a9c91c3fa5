// SPDX-License-Identifier: Apache-2.0
import Calendar
import Database
import Glibc
import Platform

/// The files of a black box in its folder.
public enum BlackBoxFile {
    public static let name = "black-box.db"
    /// The prefix of a damaged file's new name; the date follows it.
    static let damagedPrefix = "\(name).damaged-"

    public static func path(in folder: String) -> String { "\(folder)/\(name)" }

    /// Files that SQLite keeps beside the database, the database first.
    private static let suffixes = ["", "-wal", "-shm"]

    /// Puts a database out of the way that cannot be used, so that a new one can be begun. Of those that were set aside
    /// before, nothing stays: they would take the room of what is recorded.
    /// - Returns: where the database is now.
    @discardableResult
    public static func setAside(in folder: String, nowSeconds: Int64) throws(DatabaseError) -> String {
        let target = damagedPrefix + CompactTime.text(EpochTime(seconds: nowSeconds), fraction: .none)
        do throws(SystemError) {
            for old in try FolderListing.names(in: folder) where old.hasPrefix(damagedPrefix) {
                unlink("\(folder)/\(old)")
            }
            for suffix in suffixes {
                let source = "\(folder)/\(name)\(suffix)"
                guard rename(source, "\(folder)/\(target)\(suffix)") == 0 || errno == ENOENT else {
                    throw SystemError.last("rename \(source)")
                }
            }
        } catch {
            throw DatabaseError(error)
        }
        return "\(folder)/\(target)"
    }
}
