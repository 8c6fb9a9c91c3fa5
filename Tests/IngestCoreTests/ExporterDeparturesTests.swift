// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import IngestCore

struct ExporterDeparturesTests {
    @Test func exporterDepartures_tellOfADeathOnce() {
        var departures = ExporterDepartures()
        #expect(departures.next(writer: 15, isDead: false) == nil)
        #expect(departures.next(writer: 15, isDead: true) == 15)
        #expect(departures.next(writer: 15, isDead: true) == nil)
        #expect(departures.next(writer: 17, isDead: false) == nil)
        #expect(departures.next(writer: 17, isDead: true) == 17)
    }

    @Test func exporterDepartures_tellOfAWriterThatAnotherHasReplaced() {
        var departures = ExporterDepartures()
        #expect(departures.next(writer: 0, isDead: false) == nil)
        #expect(departures.next(writer: 2, isDead: false) == nil)
        #expect(departures.next(writer: 4, isDead: false) == 2)
        #expect(departures.next(writer: 6, isDead: true) == 4, "one that died before anything of it was read")
        #expect(departures.next(writer: 6, isDead: true) == nil)
    }
}
