// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Platform
import TestSupport
import Testing

/// The fleet's actions are done: a real supervisor with fake workers, and the test is systemd.
@Suite(.serialized) struct FleetExecutorTests {
    /// The answer of `ctl` when all is well.
    @discardableResult
    private func ctl(_ proxy: ProxyUnderTest, _ arguments: String...) throws -> String {
        let program = "\(try TestPrograms.folder())/fodc-proxy"
        let answer = try TestPrograms.run([program, "ctl", "--runtime-dir=\(proxy.runtimeFolder.path)"] + arguments)
        #expect(answer.status == 0, "\(answer.output)\n\(proxy.log)")
        return answer.output
    }

    @Test func fleetExecutor_storesNewRings_andDropsRemovedOnes() async throws {
        let systemd = try SystemdUnderTest()
        let proxy = try ProxyUnderTest(
            ["--ingest-workers=1"], environment: ["NOTIFY_SOCKET": systemd.socketPath], hasRuntimeFolder: true)
        #expect(await proxy.logs("serving"))
        systemd.look()
        #expect(
            systemd.stored.isSuperset(of: ["data-0.2", "commanda-0.2", "commandb-0.2", "control-0.1", "record-0.1"]))
        #expect(systemd.stored.allSatisfy { !$0.hasPrefix("data-1") })

        try ctl(proxy, "scale", "2")
        systemd.look()
        let added: Set = ["data-1.3", "commanda-1.3", "commandb-1.3"]
        #expect(systemd.stored.isSuperset(of: added), "what is not stored is lost with the supervisor")

        try ctl(proxy, "scale", "1")
        #expect(
            await proxy.waits {
                systemd.look()
                return systemd.stored.isDisjoint(with: added)
            }, "a store that keeps them fills up: \(systemd.history)")
        #expect(systemd.stored.contains("data-0.2"))
    }

    // MARK: Requests

    @Test func fleetExecutor_keepsADrainedWorkerStopped_untilARestart() async throws {
        let proxy = try ProxyUnderTest(["--ingest-workers=2"], hasRuntimeFolder: true)
        #expect(await proxy.logs("serving"))
        let pid = try #require(proxy.workerPID("ingest-1-1"))
        try ctl(proxy, "drain", "ingest-1")
        #expect(!ProxyUnderTest.isAlive(pid))
        #expect(try ctl(proxy, "status").contains("ingest-1 is drained"))
        #expect(proxy.report("ingest-1-2") == nil)
        try ctl(proxy, "restart", "ingest-1")
        #expect(proxy.report("ingest-1-2") != nil)
        #expect(try !ctl(proxy, "status").contains("drained"))
        try ctl(proxy, "restart", "exporter")
        #expect(proxy.report("exporter-2") != nil)
        try ctl(proxy, "log-level", "debug")
        let status = try JSONSerialization.jsonObject(with: Data(try ctl(proxy, "status", "--json").utf8))
        #expect((status as? [String: Any])?["workers"] as? [Any] != nil, "\(status)")
    }

    // MARK: Reload

    /// Descriptors of a worker, without the numbers of sockets.
    private func descriptors(_ proxy: ProxyUnderTest, _ worker: String) -> [String]? {
        proxy.report(worker)?["descriptor"]?.map { line in
            line.contains("socket:") ? line.split(separator: ":")[0].description : line
        }
    }

    @Test func fleetExecutor_reloadReplacesAllWorkers_andLeaksNoDescriptor() async throws {
        let proxy = try ProxyUnderTest(["--ingest-workers=2"], hasRuntimeFolder: true)
        #expect(await proxy.logs("serving"))
        let old = proxy.allWorkerPIDs
        kill(proxy.pid, SIGHUP)
        #expect(await proxy.logs("reload: done"))
        for name in ["ingest-0", "ingest-1"] {
            let before = try #require(descriptors(proxy, "\(name)-1"))
            #expect(descriptors(proxy, "\(name)-2") == before, "what the program before has had open is not theirs")
        }
        #expect(descriptors(proxy, "exporter-2")?.count == descriptors(proxy, "exporter-1")?.count)
        #expect(await proxy.waits { !old.contains(where: ProxyUnderTest.isAlive) })
        // It can be asked, and ends, as before.
        #expect(try ctl(proxy, "status").contains("ingest-1"))
        kill(proxy.pid, SIGTERM)
        #expect(await proxy.exitCode() == 0)
    }

    @Test func fleetExecutor_reloadToIncompatiblePrograms_changesNothing() async throws {
        let proxy = try ProxyUnderTest(["--ingest-workers=1"], environment: ["FAKE_WORKER_CHECK": "0 layout 0"])
        #expect(await proxy.logs("serving"))
        kill(proxy.pid, SIGHUP)
        #expect(await proxy.logs("reload failed: "))
        #expect(proxy.report("ingest-0-2") == nil && proxy.report("exporter-2") == nil)
        kill(proxy.pid, SIGTERM)
        #expect(await proxy.exitCode() == 0)
    }

    /// The table of workers says that the other one is ready; nobody looks at it unless woken.
    @Test func fleetExecutor_wakesWorkers_whenOneIsReady() async throws {
        let proxy = try ProxyUnderTest(["--ingest-workers=2"])
        #expect(await proxy.logs("serving"))
        for name in ["ingest-0-1", "ingest-1-1", "exporter-1"] {
            try #require(
                await proxy.waits { proxy.report("\(name)-rung") != nil }, "the wakeup channel of \(name) rings")
        }
    }
}
