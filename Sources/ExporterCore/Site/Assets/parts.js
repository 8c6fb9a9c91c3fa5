// SPDX-License-Identifier: Apache-2.0
// Parts that the pages of a node and of an incident have in common.
import { bytes, clock, el, facts, nodeLink, signs, since, table } from "./common.js";

export const kinds = {
  "node-gone": "node gone", "node-restarted": "node restarted", "crash": "crash", "memory-pressure": "memory pressure",
  "schema-inconsistent": "schema inconsistent", "agent-quarantined": "agent quarantined", "worker-crashed": "worker crashed",
};

export const incidentLink = (id) => `incident?id=${encodeURIComponent(id)}`;

export const openedBadge = (incident) => incident.closed_at
  ? el("span", { class: "badge closed" }, "○ over") : el("span", { class: "badge open" }, "● open");

/** A list of incidents, the newest first. */
export function incidentList(incidents) {
  if (!incidents?.length) return el("p", { class: "soft" }, "No incident is known.");
  return el("ul", { class: "list" }, incidents.map((one) => el("li", {},
    openedBadge(one),
    el("a", { href: incidentLink(one.id) }, `${kinds[one.kind] ?? one.kind}: ${one.pod_name || one.subject}`),
    el("span", {}, one.cause),
    el("span", { class: "soft" }, `${clock(one.opened_at)}, ${since(one.opened_at)} ago`
      + (one.count > 1 ? `, ${one.count} times` : "")))));
}

/** Crash records: the reason at once, stack and breadcrumbs in the open one. */
export function crashList(crashes) {
  if (!crashes?.length) return el("p", { class: "soft" }, "No crash record is known.");
  return el("div", {}, crashes.map((crash, index) => {
    const record = crash.panic_record;
    return el("details", { open: index === 0 ? true : undefined },
      el("summary", {}, record
        ? `${clock(record.occurred_at)} · ${record.component} · ${record.panic_value.split("\n")[0]}${record.recovered ? " (recovered)" : ""}`
        : `${clock(crash.fetched_at)} · ${crash.artifact_dir}`),
      el("div", { class: "toolbar" }, copyButton(JSON.stringify(crash, null, 2)), el("span", { class: "soft mono" }, crash.artifact_dir)),
      record?.breadcrumbs ? el("div", {}, el("h3", {}, "Breadcrumbs"), breadcrumbs(record.breadcrumbs)) : null,
      record?.goroutine_stack ? el("div", {}, el("h3", {}, "Stack"), el("pre", { tabindex: "0" }, record.goroutine_stack)) : null,
      record?.process_metadata ? el("div", {}, el("h3", {}, "Process"), facts(Object.entries(record.process_metadata))) : null);
  }));
}

const breadcrumbs = (crumbs) => table("Breadcrumbs", ["Time", "Stage", "Component", "Fields"], crumbs.map((crumb) => [
  clock(crumb.occurred_at), crumb.stage, crumb.component ?? "",
  Object.entries(crumb.fields ?? {}).map(([name, value]) => `${name}=${value}`).join(" ")]));

export function copyButton(text) {
  const button = el("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "The browser does not allow it";
    }
  });
  return button;
}

const drawn = ["heap", "goroutine"];

export function profileList(captures, pod) {
  if (!captures?.length) return el("p", { class: "soft" }, "No profile is known.");
  return el("ul", { class: "list" }, captures.map((capture) => el("li", {},
    el("span", {}, clock(capture.captured_at)),
    el("span", {}, `${bytes(capture.rss_bytes)} of ${bytes(capture.cgroup_limit_bytes)}`),
    el("span", { class: "mono soft" }, capture.profile_id),
    capture.profiles.filter((profile) => drawn.includes(profile.type)).map((profile) => el("span", {},
      el("a", { href: profilePage(pod, capture.profile_id, profile.type) }, `${profile.type} flame graph`), " ",
      el("a", { href: profileFile(pod, capture.profile_id, profile.type), download: "" },
        `pprof (${bytes(profile.size_bytes)})`))))));
}

/** Profiles that an incident keeps: [{ profile_id, type, captured_at, size_bytes, stored }]. */
export function keptProfileList(profiles, pod) {
  if (!profiles.length) return el("p", { class: "soft" }, "No profile was taken near it.");
  return el("ul", { class: "list" }, profiles.map((profile) => el("li", {},
    el("span", {}, clock(profile.captured_at)), el("span", { class: "mono soft" }, profile.profile_id),
    profile.stored ? el("span", {}, "● stored") : el("span", { class: "soft" }, "○ with the node alone"),
    drawn.includes(profile.type) ? el("a", { href: profilePage(pod, profile.profile_id, profile.type) }, `${profile.type} flame graph`) : profile.type,
    el("a", { href: profileFile(pod, profile.profile_id, profile.type), download: "" },
      profile.size_bytes === null ? "pprof" : `pprof (${bytes(profile.size_bytes)})`))));
}

const profilePage = (pod, id, type) => `profile?${new URLSearchParams({ pod_name: pod, profile_id: id, type })}`;
const profileFile = (pod, id, type) => `../pressure-profiles/${[pod, id, type].map(encodeURIComponent).join("/")}`;

/** Nodes that a node calls or is called by, out of `/cluster/graph?format=json&pod_name=`. */
export function neighbours(graph, pod) {
  const states = new Map(graph.nodes.map((node) => [node.node_id, node]));
  const edges = graph.edges.filter((edge) => edge.source === pod || edge.target === pod);
  if (!edges.length) return el("p", { class: "soft" }, "No call from or to this node is known.");
  return el("ul", { class: "list" }, edges.map((edge) => {
    const other = edge.source === pod ? edge.target : edge.source;
    const state = states.get(other)?.state ?? "no-agent";
    return el("li", { class: `state-${state}` },
      el("span", {}, edge.source === pod ? "calls" : "is called by"),
      el("span", { class: "sign state" }, `${signs[state]} ${state}`),
      el("a", { href: nodeLink(other) }, other),
      edge.requests_per_second === null ? el("span", { class: "soft" }, "not measured") : el("span", {}, [
        `${edge.requests_per_second.toFixed(1)} /s`,
        edge.latency_seconds === null ? null : `${(edge.latency_seconds * 1000).toFixed(1)} ms`,
        edge.failed_share > 0 ? `${(edge.failed_share * 100).toFixed(1)} % failed` : null,
      ].filter(Boolean).join(" · ")));
  }));
}

/** Nodes that a node talked to when an incident was opened. */
export const keptNeighbours = (kept, incident) => el("ul", { class: "list" }, kept.map((one) => el("li", {},
  el("span", {}, "talked to"), el("a", { href: nodeLink(one.pod_name) }, one.pod_name), el("span", { class: "soft" }, one.state),
  el("a", { href: incidentLink(incident.id) }, `before ${clock(incident.opened_at)}`))));

export const neighbourNames = (graph, pod) => [...new Set(graph.edges
  .filter((edge) => edge.source === pod || edge.target === pod)
  .map((edge) => (edge.source === pod ? edge.target : edge.source)))];
