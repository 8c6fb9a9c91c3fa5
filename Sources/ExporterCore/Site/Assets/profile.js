// SPDX-License-Identifier: Apache-2.0
// A profile as a flame graph: search, zoom, and the difference from another capture, of this node or another.
import { byID, clock, count, el, facts, get, nodeLink, notice, replace, seconds, table } from "./common.js";
import { FlameGraph, Tree } from "./flame.js";

const query = new URLSearchParams(location.search);
const [pod, profile, kind] = ["pod_name", "profile_id", "type"].map((name) => query.get(name) ?? "");
/** Captures of other nodes that it can be compared with. */
const mostOthers = 100;
/** Functions that the table shows. */
const mostRows = 50;

const address = (id) => `../pressure-profiles/${[pod, id, kind].map(encodeURIComponent).join("/")}`;

const canvas = el("canvas", {
  id: "flame", tabindex: "0", role: "img",
  "aria-label": "Flame graph. Arrow keys go from call to call, Enter zooms in, Escape out. The table below has the same values.",
});
const detail = el("p", { id: "detail", class: "mono", "aria-live": "polite" }, "Point at a call for its values; click it to zoom in.");
const sampleTypes = el("select", { id: "sample" });
const bases = el("select", { id: "base" });
const widths = el("select", { id: "widths" }, el("option", { value: "now" }, "now"), el("option", { value: "before" }, "before"));
const widthsLabel = el("label", { hidden: true }, "Widths ", widths);
const search = el("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false" });
const found = el("span", { id: "found", class: "soft", role: "status" });
const reset = el("button", { type: "button", id: "reset", disabled: true }, "Zoom out");
const summary = el("div", {});
const links = el("p", { class: "toolbar" });
const functions = el("div", {});

replace(byID("content"),
  summary,
  el("div", { class: "toolbar" },
    el("label", {}, "Values ", sampleTypes), el("label", {}, "Compare with ", bases), widthsLabel,
    el("label", {}, "Search ", search), found, reset),
  detail,
  el("div", { class: "flamebox" }, canvas),
  links,
  el("h2", {}, "Functions"), functions);

let tree = null;
/** Captures of other nodes, as the list of them has them. */
let others = [];

/** As `go tool pprof` writes values. */
function measured(value) {
  const unit = tree.profile.unit;
  if (unit === "nanoseconds") return seconds(value / 1e9);
  if (unit !== "bytes") return (value < 0 ? "−" : "") + count(Math.abs(value));
  let [size, step] = [Math.abs(value), 0];
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  while (size >= 1024 && step < units.length - 1) [size, step] = [size / 1024, step + 1];
  return `${value < 0 ? "−" : ""}${step === 0 ? size : size.toFixed(size < 100 ? 2 : 0)} ${units[step]}`;
}

const percent = (value, whole) => (whole > 0 ? `${(value / whole * 100).toFixed(2)} %` : "–");
const signed = (value) => (value > 0 ? "+" : "") + measured(value);

function describe(node) {
  if (node === null || !tree) return;
  const [now, own] = [tree.total[node], tree.own[node]];
  const parts = [`${tree.nameOf(node)}: ${measured(now)} (${percent(now, tree.total[0])}), itself ${measured(own)}`];
  if (tree.isDifference) parts.push(`before ${measured(tree.baseTotal[node])}, change ${signed(now - tree.baseTotal[node])}`);
  const text = parts.join("; ");
  if (detail.textContent !== text) detail.textContent = text;
}

const graph = new FlameGraph(canvas, { pointed: describe, zoomed: (node) => { reset.disabled = node === 0; } });

function remember(name, value) {
  if (value) query.set(name, value);
  else query.delete(name);
  history.replaceState(null, "", `?${query}`);
}

function mark() {
  const wanted = search.value.trim().toLowerCase();
  remember("search", search.value.trim());
  const matches = new Set();
  if (wanted) tree.names.forEach((name, index) => { if (name.toLowerCase().includes(wanted)) matches.add(index); });
  graph.mark(matches);
  found.textContent = wanted
    ? `${matches.size} functions, ${percent(tree.sumOf(matches, tree.total), tree.total[0])}` : "";
}

function showFunctions() {
  const weight = (row) => Math.abs(tree.value(row.own, row.baseOwn));
  const rows = tree.functions().sort((one, other) => weight(other) - weight(one)
    || Math.abs(tree.value(other.total, other.baseTotal)) - Math.abs(tree.value(one.total, one.baseTotal)));
  const pick = (name) => el("button", { type: "button", class: "link", onclick: () => { search.value = name; mark(); search.focus(); } }, name);
  const cells = rows.slice(0, mostRows).map((row) => [pick(row.name),
    tree.isDifference ? signed(row.own - row.baseOwn) : measured(row.own),
    percent(row.own, tree.total[0]),
    tree.isDifference ? signed(row.total - row.baseTotal) : measured(row.total),
    percent(row.total, tree.total[0])]);
  const headings = tree.isDifference
    ? ["Function", "Change of itself", "Itself, now", "Change with calls", "With calls, now"]
    : ["Function", "Itself", "Part", "With calls", "Part"];
  replace(functions, table("Functions", headings, cells, [1, 2, 3, 4]),
    rows.length > mostRows ? el("p", { class: "soft" }, `The first ${mostRows} of ${rows.length}; the table has all: see "top" above.`) : "");
}

function options(select, entries, chosen) {
  replace(select, entries.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
}

async function load() {
  const [type, base, basePod] = ["sample", "diff", "diff_pod"].map((name) => query.get(name));
  const wanted = new URLSearchParams({ format: "json" });
  if (type) wanted.set("type", type);
  if (base) wanted.set("diff", base);
  if (base && basePod) wanted.set("diff_pod", basePod);
  try {
    tree = new Tree(await get(`${address(profile)}?${wanted}`));
    notice("");
  } catch (error) {
    notice(error.isLocked ? `This page is locked: ${error.message}` : String(error.message));
    return;
  }
  const shown = tree.profile;
  options(sampleTypes, shown.sample_types.map((one) => [one.name, one.name]), shown.sample_type);
  widthsLabel.hidden = !tree.isDifference;
  replace(summary, facts([
    ["Node", el("a", { href: nodeLink(pod) }, pod)], ["Capture", profile], ["Kind", kind],
    ["Total", measured(shown.total)], ["Before", tree.isDifference ? `${measured(shown.base_total)} (${signed(shown.total - shown.base_total)})` : ""],
    ["Colours", tree.isDifference ? "red has grown, blue has shrunk" : ""],
    ["Left out", shown.omitted_nodes ? `${count(shown.omitted_nodes)} calls that would be too narrow` : ""],
  ]));
  wanted.delete("format");
  replace(links, "The same as ", ["svg", "collapsed", "speedscope", "top"].map((format) =>
    el("a", { class: "button", href: `${address(profile)}?${new URLSearchParams({ format, ...Object.fromEntries(wanted) })}` }, format)),
  el("a", { class: "button", href: address(profile), download: "" }, "pprof"));
  graph.show(tree, tree.isDifference && widths.value === "before");
  mark();
  showFunctions();
}

/** Captures with a profile of this kind, for comparison: those of the node at once, then those of others. */
async function listCaptures() {
  const isOfKind = (one) => one.profiles.some((each) => each.type === kind);
  const chosen = [query.get("diff"), query.get("diff_pod") ?? pod];
  const option = (one, value, name) => el("option", { value, selected: one.profile_id === chosen[0] && one.pod_name === chosen[1] },
    `${clock(one.captured_at)} (${name})`);
  let groups = [];
  const show = () => replace(bases, el("option", { value: "" }, "nothing"), groups);
  try {
    const own = (await get(`../pressure-profiles?${new URLSearchParams({ pod_name: pod })}`)).filter((one) => one.profile_id !== profile && isOfKind(one));
    groups = own.map((one) => option(one, one.profile_id, one.profile_id));
    show();
    others = (await get("../pressure-profiles")).filter((one) => one.pod_name !== pod && isOfKind(one)).slice(0, mostOthers);
    if (others.length) groups.push(el("optgroup", { label: "Of other nodes" }, others.map((one, index) => option(one, `other-${index}`, one.pod_name))));
  } catch {
    // Without the list nothing can be chosen; the profile is shown all the same.
  }
  show();
}

sampleTypes.addEventListener("change", () => { remember("sample", sampleTypes.value); load(); });
bases.addEventListener("change", () => {
  const other = others.find((one, index) => bases.value === `other-${index}`);
  remember("diff", other?.profile_id ?? bases.value);
  remember("diff_pod", other?.pod_name ?? "");
  load();
});
widths.addEventListener("change", () => graph.show(tree, widths.value === "before"));
search.addEventListener("input", () => { if (tree) mark(); });
reset.addEventListener("click", () => graph.zoom(0));

search.value = query.get("search") ?? "";
byID("title").textContent = pod ? `${kind} profile of ${pod}` : "Profile";
if (pod && profile && kind) {
  listCaptures();
  load();
} else {
  notice("The address needs pod_name, profile_id and type, as the links on a node's page have them.");
}
