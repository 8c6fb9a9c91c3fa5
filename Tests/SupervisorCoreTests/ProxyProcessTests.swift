// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Platform
import SupervisorCore
import Testing

/// The supervisor as a real process with fake workers.
@Suite(.serialized) struct ProxyProcessTests {
    @Test func supervisor_servesWhenAllWorkersAreReady() async throws {
        let proxy = try ProxyUnderTest(["--ingest-workers=2"])
        #expect(await proxy.logs("serving: 2 ingest workers, exporter; listening on gRPC 127.0.0.1:"))
        for name in ["ingest-0", "ingest-1", "exporter"] { #expect(proxy.log.contains("\(name) is ready")) }
    }

    @Test func supervisor_givesAWorkerOnlyTheDescriptorsThatItNeeds() async throws {
        let proxy = try ProxyUnderTest(
            ["--ingest-workers=2"],
            environment: ["NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "60000000", "KEPT": "yes"])
        #expect(await proxy.logs("serving"))
        let ingest = try #require(proxy.report("ingest-1-1"))
        let names = (ingest["descriptor"] ?? []).map {
            $0.split(separator: " ").dropFirst().first.map(String.init) ?? ""
        }
        // Standard streams; control, link, listener, secret; the other's ring; own ring, down A and B, wakeup channels A and B.
        #expect(names[0] == "/dev/null")
        #expect(names.count == [3, 4, 1, 5].reduce(0, +))
        #expect(names[3].hasPrefix("/memfd:fodc-control"))
        #expect(names[4].hasPrefix("socket:") && names[5].hasPrefix("socket:"))
        #expect(names[6].hasPrefix("/memfd:fodc-secret"))
        #expect(names[7].hasPrefix("/memfd:fodc-data-0"))
        #expect(names[8].hasPrefix("/memfd:fodc-data-1"))
        #expect(names[9].hasPrefix("/memfd:fodc-commanda-1") && names[10].hasPrefix("/memfd:fodc-commandb-1"))
        let variables = ingest["environment"] ?? []
        #expect(variables.contains("KEPT=yes"))
        #expect(!variables.contains { $0.hasPrefix("NOTIFY_SOCKET") || $0.hasPrefix("WATCHDOG") })
        let exporter = try #require(proxy.report("exporter-1"))
        let rings = (exporter["descriptor"] ?? []).compactMap { $0.split(separator: ":").last }
        // The first exporter is of generation 1, so its rings are the second of each pair.
        #expect(rings.contains("fodc-commandb-0.2 (deleted)") && !rings.contains("fodc-commanda-0.2 (deleted)"))
        #expect(rings.contains("fodc-state-0.1 (deleted)"))
        // It makes no ids of agents.
        #expect(ingest["secret"]?.first?.isEmpty == false && exporter["secret"]?.first?.isEmpty != false)
        #expect(!rings.contains { $0.contains("secret") })
    }

    @Test func supervisor_startsARecorderWhenAFolderIsSet() async throws {
        let proxy = try ProxyUnderTest(["--ingest-workers=2", "--black-box-dir=/tmp"])
        #expect(await proxy.logs("recorder is ready"))
        let recorder = try #require(proxy.report("recorder-1"))
        let names = (recorder["descriptor"] ?? []).map {
            $0.split(separator: " ").dropFirst().first.map(String.init) ?? ""
        }
        // Standard streams; control, link; the data rings, the exporter's state, its own ring. No secret, nothing that is
        // listened on.
        try #require(names.count == 9)
        let own = ["/memfd:fodc-data-0", "/memfd:fodc-data-1", "/memfd:fodc-recorder-0", "/memfd:fodc-state-0"]
        for (name, prefix) in zip(names[5...], own) { #expect(name.hasPrefix(prefix)) }
        let other = try ProxyUnderTest(["--black-box-dir=/tmp", "--record-interval=0"])
        #expect(await other.logs("serving"))
        #expect(other.report("recorder-1") == nil)
    }

    @Test func supervisor_replacesADeadWorker() async throws {
        let proxy = try ProxyUnderTest(["--ingest-workers=2"], plan: "ingest-0#1=fault")
        #expect(await proxy.logs("ingest-0 exited: "))
        #expect(proxy.log.contains("SIGSEGV"))
        #expect(proxy.log.contains("restarting now"))
        #expect(await proxy.waits { proxy.report("ingest-0-2") != nil })
        #expect(await proxy.logs("ingest-0 is ready", times: 2))
        #expect(proxy.report("ingest-1-2") == nil)
        #expect(proxy.report("exporter-2") == nil)
    }

    @Test func supervisor_givesTheNextExporterTheOtherRings() async throws {
        let proxy = try ProxyUnderTest(["--ingest-workers=1"])
        #expect(await proxy.logs("serving"))
        kill(try #require(proxy.workerPID("exporter-1")), SIGKILL)
        #expect(await proxy.logs("exporter exited: "))
        #expect(proxy.log.contains("exited: SIGKILL after "))
        #expect(await proxy.waits { proxy.report("exporter-2") != nil })
        let rings = (try #require(proxy.report("exporter-2"))["descriptor"] ?? []).compactMap {
            $0.split(separator: ":").last
        }
        #expect(rings.contains("fodc-commanda-0.2 (deleted)") && !rings.contains("fodc-commandb-0.2 (deleted)"))
    }

    @Test func supervisor_replacesAWorkerWithoutAHeartbeat() async throws {
        let proxy = try ProxyUnderTest(["--ingest-workers=1"], plan: "ingest-0#1=hang")
        #expect(await proxy.logs("ingest-0 hung (no heartbeat for 2 s): killing it"))
        #expect(await proxy.logs("ingest-0 is ready", times: 2))
        #expect(proxy.log.contains("exited: hung (no heartbeat for 2 s) after "))
    }

    @Test func supervisor_replacesAStoppedWorker() async throws {
        let proxy = try ProxyUnderTest(["--ingest-workers=1"])
        #expect(await proxy.logs("serving"))
        let pid = try #require(proxy.workerPID("exporter-1"))
        kill(pid, SIGSTOP)
        #expect(await proxy.logs("exporter is ready", times: 2))
        #expect(!ProxyUnderTest.isAlive(pid))
        #expect(proxy.log.contains("exporter exited: "))
    }

    @Test func supervisor_replacesAWorkerThatDoesNotReadItsRing() async throws {
        let proxy = try ProxyUnderTest(["--ingest-workers=1"], plan: "exporter#1=not-reading")
        #expect(await proxy.logs("hung (has not read ring 0 for 2 s"))
        #expect(await proxy.logs("exporter is ready", times: 2))
        #expect(!proxy.log.contains("ingest-0 died"))
    }

    @Test func supervisor_replacesAWorkerThatIsNeverReady() async throws {
        let proxy = try ProxyUnderTest(["--ingest-workers=1"], plan: "ingest-0#1=never-ready")
        #expect(await proxy.logs("ingest-0 not ready in time: killing it"))
        #expect(await proxy.logs("serving"))
    }

    @Test func supervisor_ignoresAPauseOfAllProcesses() async throws {
        let proxy = try ProxyUnderTest(["--ingest-workers=1"])
        #expect(await proxy.logs("serving"))
        let workers = proxy.allWorkerPIDs
        #expect(workers.count == 2)
        kill(proxy.pid, SIGSTOP)
        for pid in workers { kill(pid, SIGSTOP) }
        // Nothing but time makes a pause one that would be a hang.
        let end = MonotonicClock.nowNanoseconds() + 2 * LivenessWatchdog.timeoutNanoseconds
        #expect(await proxy.waits { MonotonicClock.nowNanoseconds() >= end })
        kill(proxy.pid, SIGCONT)
        #expect(await proxy.logs("was paused"))
        for pid in workers { kill(pid, SIGCONT) }
        #expect(workers.allSatisfy(ProxyUnderTest.isAlive))
        // The turn that has seen the pause has judged the workers; with the end of all, its log is whole.
        kill(proxy.pid, SIGTERM)
        #expect(await proxy.exitCode() == 0)
        #expect(!proxy.log.contains("killing it"))
    }

    @Test func supervisor_servesDegradedWhenAWorkerKeepsDying() async throws {
        let proxy = try ProxyUnderTest(["--ingest-workers=2"], plan: "ingest-1=fault")
        #expect(await proxy.logs("failure 3 in a row; restarting in 0.5 s"))
        #expect(proxy.process.isRunning)
        #expect(!proxy.log.contains("ingest-0 died"))
    }

    @Test(arguments: [SIGTERM, SIGINT]) func supervisor_shutsDownInOrder(signal: Int32) async throws {
        let proxy = try ProxyUnderTest(["--ingest-workers=2"])
        #expect(await proxy.logs("serving"))
        let workers = proxy.allWorkerPIDs
        #expect(workers.count == 3)
        kill(proxy.pid, signal)
        #expect(await proxy.exitCode() == 0)
        #expect(!workers.contains(where: ProxyUnderTest.isAlive))
        #expect(!proxy.log.contains("is killed"))
    }

    @Test func supervisor_killsAWorkerThatDoesNotEnd() async throws {
        let proxy = try ProxyUnderTest(["--ingest-workers=1"], plan: "exporter=ignore-drain")
        #expect(await proxy.logs("serving"))
        let workers = proxy.allWorkerPIDs
        kill(proxy.pid, SIGTERM)
        #expect(await proxy.logs("ingest-0 exited as requested"))
        kill(proxy.pid, SIGTERM)  // hastens
        #expect(await proxy.exitCode() == 0)
        #expect(proxy.log.contains("exporter did not exit in time: killing it"))
        #expect(!workers.contains(where: ProxyUnderTest.isAlive))
    }

    @Test func supervisor_takesItsWorkersAlongWhenItIsKilled() async throws {
        // One that does not look at its socket any more, to show that the kernel does it.
        let proxy = try ProxyUnderTest(["--ingest-workers=2"])
        #expect(await proxy.logs("serving"))
        let workers = proxy.allWorkerPIDs
        kill(workers[0], SIGSTOP)
        kill(proxy.pid, SIGKILL)
        #expect(await proxy.waits { !workers.contains(where: ProxyUnderTest.isAlive) })
    }

    @Test func supervisor_reportsAPortInUseInOneLine() async throws {
        let taken = try ListeningSocket.open(host: "127.0.0.1", port: 0)
        defer { close(taken) }
        let address = try #require(ListeningSocket.localAddress(of: taken))
        let proxy = try ProxyUnderTest(["--ingest-workers=1"], address: address)
        #expect(await proxy.exitCode() == 1)
        #expect(
            proxy.log.contains(
                "--grpc-listen-addr: cannot listen on \(address): the port is in use; stop the process that listens"))
        #expect(proxy.log.split(separator: "\n").filter { $0.contains("fodc-proxy:") }.count == 1)
        #expect(proxy.allWorkerPIDs.isEmpty)
    }

    @Test func supervisor_reportsAMissingProgramInOneLine() async throws {
        let proxy = try ProxyUnderTest(workers: false)
        #expect(await proxy.exitCode() == 1)
        #expect(proxy.log.contains("fodc-ingest: No such file or directory"))
        #expect(proxy.log.split(separator: "\n").count == 1)
    }

    @Test func supervisor_failsTheStartWhenAWorkerCannotStart() async throws {
        let proxy = try ProxyUnderTest(["--ingest-workers=2"], plan: "ingest-1=exit-early")
        #expect(await proxy.exitCode() == 1)
        #expect(proxy.log.contains("ingest-1 exited with code 1 before the service was ready"))
        #expect(!proxy.allWorkerPIDs.contains(where: ProxyUnderTest.isAlive))
    }

    @Test func supervisor_reportsAnInvalidStateFolderInOneLine() async throws {
        let proxy = try ProxyUnderTest(["--state-dir=/dev/null/state"])
        #expect(await proxy.exitCode() == 1)
        #expect(proxy.log.contains("--state-dir: cannot use /dev/null/state"))
        #expect(proxy.allWorkerPIDs.isEmpty)
    }

    @Test(arguments: [
        (["--max-agents=0"], "--max-agents: \"0\" is not allowed; must be a whole number from 1 to 50000"),
        (["--no-such-flag"], "Unknown option '--no-such-flag'"), (["surplus"], "Unexpected argument 'surplus'"),
        (["--log-level"], "Missing value for '--log-level"),
    ])
    func supervisor_exitsWith2OnWrongUsage(flags: [String], message: String) async throws {
        let proxy = try ProxyUnderTest(flags)
        #expect(await proxy.exitCode() == 2)
        #expect(proxy.log.contains(message))
    }

    @Test(arguments: ["--help", "--version"]) func supervisor_exitsWith0AfterHelpAndVersion(flag: String) async throws {
        let proxy = try ProxyUnderTest([flag])
        #expect(await proxy.exitCode() == 0)
        #expect(proxy.log.contains(flag == "--help" ? "--stale-grace <DURATION>" : "fodc-proxy "))
    }
}
