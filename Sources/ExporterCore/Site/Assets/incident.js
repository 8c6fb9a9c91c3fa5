// SPDX-License-Identifier: Apache-2.0
// One incident: what, when and why; the minutes around it, of the node and its neighbours on one axis of time.
import * as box from "./blackbox.js";
import { Charts } from "./charts.js";
import { age, byID, clock, el, facts, get, live, nodeLink, now, part, replace, since, table } from "./common.js";
import { crashList, incidentList, keptProfileList, kinds, openedBadge } from "./parts.js";
import { linesOf, moreCharts, namesOf } from "./series.js";

const id = new URLSearchParams(location.search).get("id") ?? "";
const minute = 60000;
/** Nodes whose charts are drawn: the incident's own, and those that it talks to. */
const mostNodes = 5;
/** The charts of the summary that are drawn of each, to see many nodes beside each other, and those beside the summary's. */
const mostCharts = 6;
const callCharts = moreCharts.slice(0, 3);

const head = el("div", {});
const ownNote = el("p", { class: "soft" });
const own = el("div", { class: "charts" });
const nearby = el("div", {});
const changed = el("div", {});
const others = el("div", {});
const crashes = el("div", {});
const profiles = el("div", {});
replace(byID("content"), head, el("h2", {}, "Changes just before"), changed, el("h2", {}, "The minutes around it"), ownNote, own, nearby,
  el("h2", {}, "Other incidents in these minutes"), others, el("h2", {}, "Crash records"), crashes, el("h2", {}, "Profiles"), profiles);

let groups = null;
/** Moments that all charts show: of the incident, and of changes. */
let marks = [];
const changeColor = "#8a63d2";

function showHead(one) {
  const title = `${kinds[one.kind] ?? one.kind}: ${one.pod_name || one.subject}`;
  document.title = `${title} · FODC proxy`;
  byID("title").textContent = title;
  replace(head,
    el("p", {}, openedBadge(one), " ", el("b", {}, one.cause)),
    facts([
      ["Opened", `${clock(one.opened_at)} (${since(one.opened_at)} ago)`],
      ["Over", one.closed_at ? `${clock(one.closed_at)}` : "not yet"],
      ["Happened", one.count > 1 ? `${one.count} times, last ${clock(one.last_at)}` : "once"],
      ["Node", one.pod_name ? el("a", { href: nodeLink(one.pod_name) }, one.pod_name) : ""], ["Role", one.role],
      ["Last sample", one.last_sample ? clock(one.last_sample) : ""],
    ]),
    el("p", { class: "toolbar" }, el("a", { class: "button", href: box.bundleAddress(one.id), download: "" }, "Download bundle"),
      one.pod_name ? el("a", { class: "button", href: nodeLink(one.pod_name) }, "Page of the node") : ""));
}

function setRange(range, whole) {
  for (const group of groups.values()) group.setRange(range ?? whole);
}

/** One time axis for all: from where the samples of the first node are kept. */
const rangeOf = (one) => [Date.parse(one.kept[0].from), Date.parse(one.kept[0].until)];

async function showCharts(one) {
  const whole = rangeOf(one);
  groups ??= new Map(one.kept.slice(0, mostNodes).map((kept, index) => {
    const element = index === 0 ? own : el("div", { class: "charts" });
    if (index > 0) {
      nearby.append(el("section", { "aria-label": `Neighbour ${kept.pod_name}` },
        el("h2", {}, "Neighbour ", el("a", { href: nodeLink(kept.pod_name) }, kept.pod_name), ` (${kept.state})`), element));
    }
    return [kept.pod_name, new Charts(element, {
      range: whole, onRange: (range) => setRange(range, whole), of: kept.pod_name,
    })];
  }));
  for (const group of groups.values()) group.marks = marks;
  let isAny = false;
  // One after the other: the black box makes few such answers at a time.
  for (const [pod, group] of groups) {
    const told = await box.summary(pod, whole);
    for (const chart of (told?.charts ?? []).slice(0, mostCharts)) group.show(chart.title, box.linesOf(chart), box.figures[chart.unit]);
    const series = (await box.samples(pod, namesOf(callCharts), whole)) ?? [];
    for (const chart of callCharts) group.show(chart.title, linesOf(chart, series), chart.figure);
    isAny ||= !group.isEmpty;
  }
  return isAny ? "The red line is the moment at which it was noticed, violet lines are changes. Drag over a chart to look closer." : "No sample of these minutes is known.";
}

/** Incidents of all nodes in the minutes around it. */
async function happened(one) {
  const [start, end] = one.kept.length ? rangeOf(one) : [Date.parse(one.opened_at) - 15 * minute, Date.parse(one.opened_at) + 5 * minute];
  const others = (await box.incidents({ since: new Date(start).toISOString(), until: new Date(end).toISOString(), limit: 50 })) ?? [];
  const found = others.filter((other) => other.id !== id && Date.parse(other.last_at) >= start);
  return found.length ? incidentList(found) : el("p", { class: "soft" }, "Nothing that is recorded: no other incident of any node, group or worker.");
}

const words = {
  version: "version", startup_params: "startup parameter", runtime_config: "runtime configuration",
  node: "node", call: "call", group: "group", object: "schema object", verdict: "schema verdict of",
};
const mostPods = 3;

/** When, seen from the incident: agents are asked once a minute, so that a change is noticed after it happened. */
function distance(time, opened) {
  const seconds = (Date.parse(opened) - Date.parse(time)) / 1000;
  return seconds >= 0 ? `${age(seconds)} before` : `${age(-seconds)} after`;
}

function value(text) {
  if (text === null) return el("span", { class: "soft" }, "not there");
  return text === "" ? el("span", { class: "soft" }, "there") : el("span", { class: "mono" }, text);
}

function changeTable(told) {
  if (!told.changes.length) {
    const asked = told.pod_names.length === 0 ? "the verdicts on schemas"
      : `configuration, topology and schema of ${told.pod_names.length === 1 ? "this node" : `these ${told.pod_names.length} nodes`}`;
    const until = Math.min(now(), Date.parse(told.until));
    return el("p", { class: "soft" }, `No change is known of ${asked}, from ${clock(told.from)} to ${clock(until)}.`);
  }
  const left = told.total - told.changes.length;
  return el("div", {}, table("Changes", ["Noticed", "Change", "Before", "After", "Told by"], told.changes.map((one) => [
    el("span", {}, distance(one.at, told.opened_at), el("br", {}), el("span", { class: "soft" }, clock(one.at))),
    el("span", {}, `${words[one.section]} `, el("b", {}, one.key)), value(one.before), value(one.after),
    one.pod_names.slice(0, mostPods).join(", ") + (one.pod_names.length > mostPods ? ` and ${one.pod_names.length - mostPods} more` : "") || "the proxy"])),
  left > 0 || !told.is_whole ? el("p", { class: "soft" }, left > 0 ? `${left} more, further away.` : "There was more than could be compared.") : "");
}

let drawnAt = 0;
live(() => part(head, async () => {
  const one = await box.incident(id);
  showHead(one);
  // Samples of these minutes come until they are over.
  const isOver = one.kept.length === 0 || Date.now() > rangeOf(one)[1] + minute;
  if (drawnAt && (isOver || Date.now() - drawnAt < minute / 2)) return;
  drawnAt = Date.now();
  marks = [...new Set([one.opened_at, one.last_at])].map((time) => ({ time: Date.parse(time) }));
  await part(changed, async () => {
    const told = await box.changes(id);
    marks.unshift(...[...new Set(told.changes.map((change) => change.at))].map((time) => ({ time: Date.parse(time), color: changeColor })));
    return changeTable(told);
  });
  await part(ownNote, async () => (one.kept.length ? await showCharts(one) : "It keeps no samples."));
  await part(others, () => happened(one));
  replace(profiles, keptProfileList(one.profiles, one.pod_name));
  await part(crashes, async () => crashList(one.crash_records
    ? await get(`../diagnostics?include=gone&${new URLSearchParams({ pod_name: one.pod_name })}`) : []));
}));
