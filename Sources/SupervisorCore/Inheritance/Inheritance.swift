// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

/// The state that the program before this one has left in this process, for the reader of the command line.
public struct ProgramHandover {
    let record: InheritanceRecord
    let exec: InheritanceRecord.Exec
    /// The command line that it wants to be read.
    public var arguments: [String] { exec.arguments }

    /// - Parameter descriptor: of the record. An error is that it cannot be understood: the start has failed, and systemd's
    ///   next one begins with its store.
    public init(descriptor: Int32) throws(StartError) {
        guard SharedRecord.flaw(of: descriptor) == nil, let bytes = SharedRecord.read(descriptor),
            let record = try? InheritanceRecord(encoded: bytes.span.bytes), let exec = record.exec,
            exec.processID == getpid()
        else { throw StartError("cannot read the state inherited from the previous program") }
        (self.record, self.exec) = (record, exec)
    }
}

/// The predecessor's state, passed on by systemd or, after an exec, by the predecessor itself: the same record and the same names.
struct Inheritance {
    let table: DescriptorTable
    /// `nil`: there was no predecessor, or it cannot be understood.
    let record: InheritanceRecord?
    /// Its processes are alive, and children of this process.
    let exec: InheritanceRecord.Exec?

    /// The descriptors that systemd has stored.
    init(_ received: [ReceivedDescriptor]) {
        table = DescriptorTable(received)
        let records = table.stored
            .compactMap { item in StoredDescriptorName(item.name).map { (name: $0, descriptor: item.descriptor) } }
            .filter { $0.name.place.role == .record && SharedRecord.flaw(of: $0.descriptor) == nil }
        let newest = records.max { $0.name.generation < $1.name.generation }
        record = newest.flatMap { SharedRecord.read($0.descriptor) }
            .flatMap { try? InheritanceRecord(encoded: $0.span.bytes) }
        exec = nil
    }

    init(_ record: InheritanceRecord, _ exec: InheritanceRecord.Exec) {
        table = DescriptorTable(exec.descriptors)
        (self.record, self.exec) = (record, exec)
    }
}
