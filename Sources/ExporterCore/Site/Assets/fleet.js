// SPDX-License-Identifier: Apache-2.0
// Keeps the fleet's page, which the server has made, up to date.
import { age, byID, bytes, cores, count, el, get, live, nodeLink, now, replace, signs, since, sparkline } from "./common.js";

function spark(values, scale, figure) {
  const newest = values.findLast((value) => value !== null);
  if (newest === undefined) return el("td", { class: "figure spark" }, "–");
  return el("td", { class: "figure spark" }, sparkline(values), el("span", {}, figure(newest / scale)));
}

function row(node) {
  const why = node.why && (node.since ? `${node.why}, ${since(node.since)} ago` : node.why);
  return el("tr", { class: `state-${node.state}` },
    el("td", { class: "state" }, el("span", { class: "sign", "aria-hidden": "true" }, signs[node.state]), ` ${node.state}`),
    el("th", { scope: "row" }, el("a", { href: nodeLink(node.node_id) }, node.node_id), why ? el("small", {}, why) : null),
    el("td", {}, node.tier),
    el("td", {}, node.zone),
    el("td", { title: node.streams.join(", ") }, String(node.streams.length)),
    el("td", {}, node.ingest_worker === null ? "" : `ingest-${node.ingest_worker}`),
    el("td", { class: "figure" }, node.last_sample_at ? age((now() - Date.parse(node.last_sample_at)) / 1000) : "never"),
    el("td", { class: "figure" }, count(node.series)),
    spark(node.cpu_millicores, 1000, cores),
    spark(node.memory_bytes, 1, bytes),
    el("td", { class: "figure" }, node.restarts === null ? "–" : String(node.restarts)),
    el("td", { class: "figure" }, node.open_incidents === null ? "–" : String(node.open_incidents)));
}

function show(fleet) {
  const focused = document.activeElement?.getAttribute?.("href");
  replace(byID("tiles"), Object.entries(fleet.counts).map(([state, nodes]) => el("li", {},
    el("a", { class: `tile state-${state}${nodes ? "" : " zero"}`, href: `./?state=${state}` },
      el("b", {}, String(nodes)), " ",
      el("span", {}, el("span", { class: "sign", "aria-hidden": "true" }, signs[state]), ` ${state}`)))));
  replace(byID("rows"), fleet.nodes.map(row));
  const all = Object.values(fleet.counts).reduce((sum, nodes) => sum + nodes, 0);
  replace(byID("empty"), fleet.nodes.length ? "" : all === 0
    ? "No agent has registered yet. Agents connect to the gRPC port of this proxy."
    : `None of the ${all} nodes matches the filter.`);
  showPager(fleet);
  // Rows are new, and the keyboard stays where it was.
  if (focused) document.querySelector(`#rows a[href="${CSS.escape(focused)}"], #tiles a[href="${CSS.escape(focused)}"]`)?.focus();
}

function showPager(fleet) {
  const query = new URLSearchParams(location.search);
  const skipped = Number(query.get("cursor") ?? 0);
  const limit = Number(query.get("limit") || 100);
  const link = (cursor) => {
    const other = new URLSearchParams(query);
    other.delete("cursor");
    if (cursor > 0) other.set("cursor", cursor);
    return `./?${other}`;
  };
  replace(byID("pager"),
    el("span", {}, `${fleet.nodes.length ? skipped + 1 : 0}–${skipped + fleet.nodes.length} of ${fleet.matching}`),
    skipped > 0 ? el("a", { href: link(Math.max(0, skipped - limit)) }, "Previous") : null,
    fleet.next_cursor === null ? null : el("a", { href: link(Number(fleet.next_cursor)) }, "Next"),
    el("a", { href: `../fleet?${query.size ? `${query}&` : ""}format=csv` }, "CSV"));
}

const update = live(async () => show(await get(`../fleet${location.search}`)));

// A filter takes effect at once, and stands in the address; the button is for those without JavaScript.
const form = byID("filter");
function apply() {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value && !(name === "sort" && value === "state")) query.set(name, value);
  history.replaceState(null, "", `./${query.size ? `?${query}` : ""}`);
  update();
}
form.addEventListener("submit", (event) => {
  event.preventDefault();
  apply();
});
form.addEventListener("change", apply);
let typing;
form.elements.text.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(apply, 250);
});
