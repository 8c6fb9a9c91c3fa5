// SPDX-License-Identifier: Apache-2.0

/// Stacks of calls as a database in Go has them, the innermost call first.
enum GoStacks {
    private static let project = "github.com/apache/skywalking-banyandb/"
    private static let models = ["measure", "stream", "trace"]
    private static let server = ["google.golang.org/grpc.(*Server).serveStreams.func2.1"]
    private static let streaming = [
        "google.golang.org/grpc.(*Server).processStreamingRPC", "google.golang.org/grpc.(*Server).handleStream",
    ]

    /// A stack, and by how much of itself it grows from one capture of its node to the next.
    struct Stack {
        var calls: [String]
        var growth: Double
    }

    /// Where memory is held.
    static let heap: [Stack] =
        models.flatMap { model in
            let package = "\(project)banyand/\(model)"
            let write = ["\(package).(*writeCallback).Rev"] + streaming + server
            let merge = [
                "\(package).(*tsTable).merge", "\(package).(*tsTable).mergeLoop", "\(package).newTSTable.gowrap1",
            ]
            let query =
                ["\(package).(*\(model)).Query", "\(project)pkg/query/executor.(*localScan).Execute"] + streaming
                + server
            return [
                Stack(
                    calls: ["\(project)pkg/bytes.ResizeOver4n", "\(package).(*blockWriter).mustWriteTo"] + merge,
                    growth: 0.4),
                Stack(
                    calls: ["bytes.growSlice", "bytes.(*Buffer).grow", "\(package).mergeBlocks"] + merge, growth: 0.3),
                Stack(
                    calls: ["\(package).generateMemPart", "\(package).(*tsTable).mustAddDataPoints"] + write,
                    growth: 0.02),
                Stack(
                    calls: ["\(project)pkg/pool.(*Synced[go.shape.*uint8]).Get", "\(package).(*dataPoints).reset"]
                        + write,
                    growth: 0),
                Stack(
                    calls: [
                        "github.com/blugelabs/bluge.(*Writer).Batch", "\(project)pkg/index/inverted.(*store).Batch",
                    ]
                        + write, growth: 0.05),
                Stack(
                    calls: [
                        "github.com/klauspost/compress/zstd.(*Decoder).DecodeAll", "\(package).(*block).mustReadFrom",
                    ]
                        + query, growth: -0.1),
                Stack(
                    calls: ["sort.pdqsort_func", "sort.pdqsort_func", "sort.pdqsort_func", "sort.Slice"] + query,
                    growth: -0.05),
            ]
        } + [
            Stack(
                calls: ["runtime.malg", "runtime.newproc1", "runtime.newproc.func1", "runtime.systemstack"],
                growth: 0.01),
            Stack(
                calls: [
                    "github.com/prometheus/client_golang/prometheus.makeLabelPairs",
                    "github.com/prometheus/client_golang/prometheus.(*MetricVec).GetMetricWithLabelValues",
                    "\(project)pkg/meter/prom.(*gauge).Set",
                    "\(project)banyand/observability.(*metricService).Serve.func1",
                ], growth: 0),
            Stack(
                calls: [
                    "google.golang.org/grpc/internal/transport.newBufWriter",
                    "google.golang.org/grpc/internal/transport.NewServerTransport",
                    "google.golang.org/grpc.(*Server).newHTTP2Transport",
                    "google.golang.org/grpc.(*Server).handleRawConn",
                ], growth: 0),
        ]

    /// Where goroutines wait.
    static let goroutines: [Stack] =
        models.flatMap { model in
            let package = "\(project)banyand/\(model)"
            return [
                Stack(
                    calls: [
                        "runtime.gopark", "runtime.selectgo", "\(package).(*tsTable).flusher",
                        "\(package).newTSTable.gowrap2",
                    ],
                    growth: 0.1),
                Stack(calls: ["runtime.gopark", "runtime.selectgo", "\(package).(*tsTable).mergeLoop"], growth: 0.1),
            ]
        } + [
            Stack(
                calls: [
                    "runtime.gopark", "runtime.netpollblock", "internal/poll.(*FD).Read", "net.(*conn).Read",
                    "google.golang.org/grpc/internal/transport.(*http2Server).HandleStreams",
                    "google.golang.org/grpc.(*Server).serveStreams",
                ], growth: 0.2),
            Stack(
                calls: [
                    "runtime.gopark", "runtime.goparkunlock", "sync.runtime_notifyListWait", "sync.(*Cond).Wait",
                    "\(project)pkg/flow/streaming.(*transducer).run",
                ], growth: 0),
        ]
}
