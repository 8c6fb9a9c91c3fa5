// SPDX-License-Identifier: Apache-2.0
// One node: how it is, its incidents, charts out of the black box, configuration, neighbours, crashes, profiles.
import * as box from "./blackbox.js";
import { Charts } from "./charts.js";
import { byID, clock, count, el, facts, get, live, now, part, replace, signs, since, table } from "./common.js";
import { crashList, incidentList, keptNeighbours, neighbours, profileList } from "./parts.js";
import { linesOf, linesOfName, moreCharts, namesOf } from "./series.js";

const query = new URLSearchParams(location.search);
const pod = query.get("pod_name") ?? "";
const spans = { "15 min": 15, "1 h": 60, "6 h": 360, "24 h": 1440 };
const minute = 60000;
/** Where the range ends: a time, or the newest that is known. */
let range = query.has("start") && query.has("end") ? [Date.parse(query.get("start")), Date.parse(query.get("end"))] : null;
let span = Number(query.get("span")) || 15;
/** The newest sample of a node that is gone, else now. */
let newest = null;
const extra = query.getAll("series");

document.title = `${pod || "Node"} · FODC proxy`;
byID("title").textContent = pod || "Node";

const section = (title, element) => [el("h2", {}, title), element];
const state = el("div", {});
const events = el("div", {});
const chartBox = el("div", { class: "charts" });
const chartNote = el("p", { class: "soft" });
const toolbar = el("div", { class: "toolbar", role: "group", "aria-label": "Range of time" });
const others = { neighbours: el("div", {}), crashes: el("div", {}), profiles: el("div", {}), configuration: el("div", {}) };
const input = el("input", { name: "series", placeholder: "name of a metric", "aria-label": "Name of a metric" });
const form = el("form", { class: "toolbar" }, input, el("button", {}, "Add chart"));

replace(byID("content"), state, section("Incidents and restarts", events), el("h2", {}, "Charts"), toolbar, form, chartNote, chartBox,
  section("Neighbours", others.neighbours), section("Crash records", others.crashes), section("Profiles", others.profiles),
  section("Configuration", others.configuration));

const charts = new Charts(chartBox, { range: null, onRange: (dragged) => setRange(dragged) });
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const name = input.value.trim();
  if (name && !extra.includes(name)) extra.push(name);
  input.value = "";
  remember();
  asked.charts = 0;
  refresh();
});

function setRange(chosen, minutes = span) {
  [range, span] = [chosen, minutes];
  remember();
  showToolbar();
  asked.charts = 0;
  refresh();
}

/** The page's state stands in its address. */
function remember() {
  const address = new URLSearchParams({ pod_name: pod });
  if (range) {
    address.set("start", new Date(range[0]).toISOString());
    address.set("end", new Date(range[1]).toISOString());
  } else if (span !== 15) address.set("span", span);
  for (const name of extra) address.append("series", name);
  history.replaceState(null, "", `node?${address}`);
}

function showToolbar() {
  replace(toolbar,
    Object.entries(spans).map(([text, minutes]) => el("button", {
      type: "button", "aria-pressed": String(!range && span === minutes), "aria-current": !range && span === minutes ? "true" : undefined,
      class: "button", onclick: () => setRange(null, minutes),
    }, `Last ${text}`)),
    range ? el("span", {}, `${clock(range[0])} to ${clock(range[1])}`) : el("span", { class: "soft" }, "Drag over a chart to look closer."));
}

function showState(node, known) {
  const name = node?.state ?? (known?.state === "live" ? "online" : "gone");
  if (!node && !known) {
    return replace(state, el("p", { class: "notice" }, `No node ${pod} is registered or in the black box.`));
  }
  replace(state, el("p", { class: `state-${name}` }, el("span", { class: "badge state" }, `${signs[name]} ${name}`), " ",
    why(node?.why || known?.gone_reason, node?.since ?? known?.gone_at)),
  node ? facts([
    ["Role", node.node_role], ["Tier", node.tier], ["Zone", node.zone], ["Address", node.address],
    ["Registered", node.registered_at ? `${clock(node.registered_at)}` : ""],
    ["Last sample", node.last_sample_at ? `${clock(node.last_sample_at)} (${since(node.last_sample_at)} ago)` : "never"],
    ["Series", count(node.series)], ["Ingest worker", node.ingest_worker === null ? "none" : `ingest-${node.ingest_worker}`],
    ["Open streams", node.streams.join(", ") || "none"], ["Restarts", node.restarts], ["Open incidents", node.open_incidents],
  ]) : facts([
    ["Role", known.role], ["First sample", known.first_sample ? clock(known.first_sample) : ""],
    ["Last sample", known.last_sample ? `${clock(known.last_sample)} (${since(known.last_sample)} ago)` : "never"],
  ]));
}

const why = (cause, time) => (cause ? `${cause}${time ? `, since ${clock(time)} (${since(time)} ago)` : ""}` : "");

async function showCharts(known) {
  if (!known) {
    charts.keep([]);
    return "The black box does not know this node, or is off (--record-interval 0): there is no history to draw.";
  }
  const end = range?.[1] ?? newest ?? now();
  const shown = range ?? [end - span * minute, end];
  const told = await box.summary(pod, shown);
  const series = (await box.samples(pod, namesOf([...moreCharts, { names: extra }]), shown)) ?? [];
  charts.setRange(shown);
  const drawn = [
    ...(told?.charts ?? []).map((chart) => [chart.title, box.linesOf(chart), box.figures[chart.unit]]),
    ...moreCharts.map((chart) => [chart.title, linesOf(chart, series), chart.figure]),
    ...extra.map((name) => [name, linesOfName(name, series, /_(total|sum|count|bucket)$/.test(name))]),
  ];
  charts.keep(drawn.map(([title]) => title));
  for (const [title, lines, figure] of drawn) charts.show(title, lines, figure);
  const missing = extra.filter((name) => !series.some((one) => one.name === name));
  if (charts.isEmpty) return "No sample of this time is known.";
  return missing.length ? `No sample of this time has the name ${missing.join(", ")}.` : "";
}

function configurationOf(answer) {
  const own = answer.configurations.find((one) => one.pod_name === pod);
  if (!own) return el("p", { class: "soft" }, "Its agent does not tell a configuration.");
  const sections = { startup_params: "Startup parameters", runtime_config: "Runtime configuration" };
  const different = new Set(answer.differences.map((one) => `${one.section} ${one.key}`));
  return el("div", {}, own.version ? el("p", {}, `Version ${own.version}`) : null,
    Object.entries(sections).map(([section, title]) => el("details", {},
      el("summary", {}, `${title} (${Object.keys(own[section]).length})`),
      table(title, ["Name", "Value", "Of its role"], Object.entries(own[section]).map(([key, value]) => [key,
        el("span", { class: "mono" }, value), different.has(`${section} ${key}`) ? "▲ differs" : "same"])))));
}

/** The calls that are known, and of a node whose calls nobody tells any more those that its newest incident has kept. */
async function showNeighbours(incidents) {
  const graph = await get(`../cluster/graph?format=json&${new URLSearchParams({ pod_name: pod })}`);
  if (graph.edges.length) return neighbours(graph, pod);
  for (const one of (incidents ?? []).filter((each) => each.pod_name === pod).slice(0, 3)) {
    const kept = (await box.incident(one.id)).kept.filter((other) => other.pod_name !== pod);
    if (kept.length) return keptNeighbours(kept, one);
  }
  return neighbours(graph, pod);
}

let refresh = () => undefined;
/** When parts were last asked for that cost more and change less than the others. */
const asked = { charts: 0, agent: 0 };
showToolbar();
refresh = live(async () => {
  const fleet = await get(`../fleet?${new URLSearchParams({ text: pod, limit: 1000 })}`);
  const node = fleet.nodes.find((one) => one.node_id === pod);
  const known = fleet.recording ? await box.summary(pod) : null;
  newest = node?.state === "online" || !known?.last_sample ? null : Date.parse(known.last_sample) + minute;
  showState(node, known);
  let incidents = null;
  await part(events, async () => {
    incidents = fleet.recording ? await box.incidents({ pod_name: pod, limit: 50 }) : null;
    charts.marks = (incidents ?? []).map((one) => ({ time: Date.parse(one.opened_at) }));
    return incidents === null ? el("p", { class: "soft" }, "Nothing is recorded: incidents are not known.") : incidentList(incidents);
  });
  if (now() - asked.charts > 10000) {
    asked.charts = now();
    await part(chartNote, () => showCharts(known));
  }
  if (now() - asked.agent < minute) return;
  asked.agent = now();
  const only = new URLSearchParams({ pod_name: pod });
  const gone = fleet.recording ? "include=gone&" : "";
  await Promise.all([
    part(others.neighbours, () => showNeighbours(incidents)),
    part(others.crashes, async () => crashList(await get(`../diagnostics?${gone}${only}`))),
    part(others.profiles, async () => profileList(await get(`../pressure-profiles?${only}`), pod)),
    part(others.configuration, async () =>
      configurationOf(await get(`../cluster/config?${new URLSearchParams({ role: node?.node_role ?? known?.role ?? "" })}`))),
  ]);
});
