// SPDX-License-Identifier: Apache-2.0
// The proxy itself: its processes, rings, connections, and the limits that were reached.
import { age, byID, bytes, clock, count, el, facts, get, live, now, number, part, replace, since, svg, table } from "./common.js";

const content = byID("content");
/** CPU seconds of the answer before, by process. */
let before = null;

const states = { running: "●", starting: "◌", draining: "◌", drained: "○", dead: "✕" };
const badWorker = (process) => process.state === "dead";

function processTable(proxy) {
  const at = now();
  const rows = proxy.processes.map((process) => {
    const known = before?.processes.get(process.name);
    const used = known?.pid === process.pid && process.cpu_seconds !== null
      ? `${number((process.cpu_seconds - known.cpu) / ((at - before.at) / 1000) * 100)} %` : "–";
    const causes = Object.entries(process.restarts_by_cause).map(([cause, times]) => `${cause} ${times}`).join(", ");
    const end = process.last_end;
    return [
      process.name,
      el("span", { class: badWorker(process) ? "badge open" : undefined }, `${states[process.state] ?? "○"} ${process.state}`),
      process.pid ? String(process.pid) : "–",
      process.started_at ? since(process.started_at) : "–",
      used,
      process.resident_bytes === null ? "–" : bytes(process.resident_bytes),
      String(process.restarts) + (causes ? ` (${causes})` : ""),
      end ? `${end.cause}${end.detail ? ` ${end.detail}` : ""}, ${clock(end.at)}` : "–",
    ];
  });
  before = {
    at, processes: new Map(proxy.processes.map((process) => [process.name, { pid: process.pid, cpu: process.cpu_seconds }])),
  };
  return table("Processes", ["Process", "State", "PID", "Up", "CPU", "Memory", "Restarts", "Last end"], rows, [2, 3, 4, 5]);
}

function meter(share, isFull) {
  return svg("svg", { class: isFull ? "meter full" : "meter", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { width: 100, height: 8 }), svg("rect", { width: Math.min(100, share * 100), height: 8 }));
}

function ringTable(proxy) {
  return table("Rings", ["Worker", "Fill", "Current", "Not read yet", "Back-pressure", "Agents", "Connections"],
    proxy.rings.map((ring) => [
      ring.worker,
      el("span", {}, meter(ring.bytes ? ring.used_bytes / ring.bytes : 0, ring.is_full),
        `${bytes(ring.used_bytes)} of ${bytes(ring.bytes)}${ring.is_full ? ", full" : ""}`),
      bytes(ring.current_bytes), bytes(ring.unread_bytes), `${number(ring.back_pressure_seconds)} s`,
      `${ring.agents_online} online, ${ring.agents_unconnected} unconnected`, String(ring.connections),
    ]), [2, 3, 4, 6]);
}

function show(proxy) {
  const reloads = proxy.reloads;
  const closed = Object.entries(proxy.http.closed).map(([cause, times]) => `${cause} ${count(times)}`).join(", ");
  replace(content,
    facts([
      ["State", el("span", { class: proxy.status === "healthy" ? "sign online" : "badge open" },
        proxy.status === "healthy" ? "● healthy" : "✕ degraded")],
      ["Why", proxy.reasons.length ? el("span", {}, proxy.reasons.join("; ")) : ""],
      ["Version", proxy.version],
      ["Up", age((now() - Date.parse(proxy.started_at)) / 1000)],
      ["Agents", `${proxy.agents_online} online of ${proxy.agents_total}, at most ${count(proxy.max_agents)}`],
      ["Ingest workers", `${proxy.rings.length} of ${proxy.ingest_workers_wanted || proxy.rings.length} wanted`],
      ["Supervisor starts", String(proxy.supervisor_starts)],
      ["Reloads", `${reloads.succeeded} done, ${reloads.failed} failed${reloads.last_at ? `, last ${clock(reloads.last_at)}` : ""}`],
      ["HTTP connections", `${proxy.http.connections} open${closed ? `; closed: ${closed}` : ""}`],
    ]),
    el("h2", {}, "Processes"), processTable(proxy),
    el("h2", {}, "Rings"), ringTable(proxy),
    el("h2", {}, "Certificates"),
    proxy.certificates.length
      ? table("Certificates", ["Series", "Expires"], proxy.certificates.map((one) => [one.series, clock(one.expires_at)]))
      : el("p", { class: "soft" }, "No listener has one."),
    el("h2", {}, "Refusals, losses and failures since the start"),
    proxy.limits.length
      ? table("Limits", ["Metric", "Count", "Meaning"], proxy.limits.map((one) => [
        el("span", { class: "mono" }, one.series), count(one.count), one.help]), [1])
      : el("p", { class: "soft" }, "None."));
}

live(() => part(content, async () => show(await get("../proxy"))));
