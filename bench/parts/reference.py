# SPDX-License-Identifier: Apache-2.0
"""Figures to compare with. Nothing here fails a run: machines differ, and figures are for people to judge."""

#: The Go proxy on a machine of this kind.
GO_CPU_US_A_SAMPLE = 9.0
GO_MEMORY_BYTES_A_SAMPLE = 2.4 * 1024
GO_LATENCY_MS = {(100, 2000): 1240.0}
GO_EMPTY_ANSWER = (1000, 2000)
GO_WINDOW_20_MS = 10_600.0
GO_MEMORY_BYTES_AN_IDLE_AGENT = 48 * 1024
GO_MEMORY_BYTES_AN_AGENT_OF_SEVEN_STREAMS = 110 * 1024
GO_AFTER_CRASH_MS = 10_300.0
#: At 100 agents; text, for they are ranges.
GO_ENDPOINT_MS = {
    "topology": "10-19 ms", "lifecycle": "6-11 ms", "pressure-list": "5-8 ms", "diagnostics": "2000 ms",
}

#: This version's bar: the most that it may need.
BAR_CPU_US_A_SAMPLE = {("plain", 100, 2000): 0.6, ("gzip", 100, 2000): 0.9}
BAR_LATENCY_MS = {(1000, 2000): 3000.0}
BAR_WINDOW_20_MS = 1500.0
BAR_AFTER_EXPORTER_CRASH_MS = 200.0
BAR_MEMORY_BYTES_AN_AGENT_OF_SEVEN_STREAMS = 64 * 1024
#: At 100 agents: the Go proxy's time, but for diagnostics.
BAR_ENDPOINT_MS = {"topology": 19.0, "lifecycle": 11.0, "pressure-list": 8.0, "diagnostics": 400.0}
