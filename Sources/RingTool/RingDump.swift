// SPDX-License-Identifier: Apache-2.0
import Platform
import RingMessages
import Rings

/// Shows a ring.
struct RingDump {
    let reader: RingReader

    func printHeader(to printer: DumpPrinter) {
        var item = DumpItem("ring")
        item.add("kind", .text("\(reader.kind)"))
        item.add("worker", reader.writerIndex)
        let writer = reader.writer
        item.add("writer_pid", .number(Int64(writer.processID)))
        item.add("writer_alive", .flag(ProcessStartTime.ticks(of: writer.processID) == writer.startTicks))
        item.add("generation", writer.generation)
        item.add("heartbeat", .shown(Shown.age(reader.heartbeat), as: reader.heartbeat))
        item.add("formatted_at", .text(Shown.wallTime(reader.formattedAtNanoseconds)))
        item.add("ring_bytes", sized(reader.ringBytes))
        item.add("maximum_ring_bytes", sized(reader.maximumRingBytes))
        let (head, tail) = (reader.head, reader.tail)
        item.add("head", head)
        item.add("tail", tail)
        item.add("used_bytes", sized(Int(clamping: head >= tail ? head - tail : 0)))
        for peer in 0..<RingReader.peerCount {
            let (generation, position) = reader.peerReadPosition(peer)
            guard generation != 0 || position != 0 else { continue }
            item.add("has_read_peer_\(peer)", position)
            item.add("generation_of_peer_\(peer)", generation)
        }
        item.add("sleeping", .flag(reader.isWriterSleeping))
        let note = reader.workingOn
        if note != (0, 0) {
            item.add("working_on", hash: note.0)
            item.add("working_on_also", hash: note.1)
        }
        for index in 0..<RingReader.counterCount where reader.counter(index) != 0 {
            item.add("counter_\(index)", reader.counter(index))
        }
        item.add("slots_used", reader.slotHighWater)
        printer.printBlock(item)
    }

    func printAgents(to printer: DumpPrinter) {
        for index in 0..<reader.slotHighWater {
            guard let (slot, entry) = reader.entry(at: index) else { continue }
            var item = DumpItem("agent")
            item.add("slot", index)
            item.add("generation", UInt64(slot.generation))
            item.add("id", .text("\(entry.id)"))
            item.add("status", .text("\(entry.status)"))
            if entry.departure != .unknown { item.add("departure", .text("\(entry.departure)")) }
            item.add("since", .shown(Shown.age(entry.statusSinceNanoseconds), as: entry.statusSinceNanoseconds))
            item.add("registered", .text(Shown.wallTime(entry.registeredAtNanoseconds)))
            let heard = reader.heartbeatNanoseconds(at: index)
            item.add("heard", .shown(Shown.age(heard), as: heard))
            item.add("streams", .shown("0b" + String(entry.openStreams, radix: 2), as: UInt64(entry.openStreams)))
            item.add("series", UInt64(entry.seriesCount))
            item.add("identity_hash", hash: entry.identityHash)
            item.add("epoch", UInt64(entry.connectionEpoch))
            if entry.confirmedAtNanoseconds != 0 {
                item.add("confirmed", .shown(Shown.age(entry.confirmedAtNanoseconds), as: entry.confirmedAtNanoseconds))
            }
            if entry.owner != 0 { item.add("owner", UInt64(entry.owner) - 1) }
            item.add("identity_at", position(entry.identityPosition))
            item.add("series_at", position(entry.seriesPosition))
            item.add("sample_at", position(entry.samplePosition))
            printer.printLine(item)
        }
    }

    /// The newest records from tail to head, oldest first.
    func printRecords(newest limit: Int, to printer: DumpPrinter) {
        reader.seekToTail()
        // Records that are written meanwhile are not waited for, or a busy ring would never end.
        let end = reader.head
        var headers: [DumpItem] = []
        while reader.position < end {
            switch reader.next({ header, _ in headers.append(item(header)) }) {
            case .record: break
            case .empty: return printAll(headers.suffix(limit), to: printer)
            case .lapped(let lostBytes):
                var item = DumpItem("overwritten")
                item.add("bytes", lostBytes)
                headers.append(item)
            case .damaged(let position, let reason):
                var item = DumpItem("damaged")
                item.add("position", position)
                item.add("reason", .text(reason))
                headers.append(item)
            case .stalled(let reason):
                var item = DumpItem("damaged")
                item.add("position", reader.position)
                item.add("reason", .text(reason))
                headers.append(item)
                guard reader.skipDamage() != nil else { return printAll(headers.suffix(limit), to: printer) }
            }
            if headers.count >= 2 * max(limit, 1000) { headers.removeFirst(headers.count - limit) }
        }
        printAll(headers.suffix(limit), to: printer)
    }

    private func printAll(_ items: ArraySlice<DumpItem>, to printer: DumpPrinter) {
        for item in items { printer.printLine(item) }
    }

    private func item(_ header: RecordHeader) -> DumpItem {
        var item = DumpItem("record")
        item.add("position", header.position)
        item.add("sequence", header.sequence)
        item.add("type", .text(header.type.name))
        if header.agent != .none {
            item.add("slot", UInt64(header.agent.index))
            item.add("generation", UInt64(header.agent.generation))
        }
        item.add("generation", header.generation)
        item.add("number", header.number)
        item.add("subject", hash: header.subject)
        item.add("bytes", header.byteCount)
        item.add("current", .flag(header.isCurrent))
        item.add("compacted", .flag(header.isCompacted))
        return item
    }

    private func sized(_ byteCount: Int) -> DumpItem.Value {
        .shown("\(byteCount) (\(Shown.size(byteCount)))", as: UInt64(byteCount))
    }

    private func position(_ position: UInt64) -> DumpItem.Value {
        position == AgentEntry.noPosition ? .none : .number(Int64(clamping: position))
    }
}
