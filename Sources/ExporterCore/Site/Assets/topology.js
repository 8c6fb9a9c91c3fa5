// SPDX-License-Identifier: Apache-2.0
// The graph that the server draws, and the verdict on the schema of each group.
import { byID, el, get, live, part, replace, table } from "./common.js";

const picture = el("div", { class: "graphbox", tabindex: "0", role: "region", "aria-label": "Graph of the cluster" });
const schema = el("div", {});
const forms = ["svg", "dot", "mermaid", "json"].map((format) =>
  el("a", { class: "button", href: `../cluster/graph?format=${format}` }, format));
replace(byID("content"),
  el("p", { class: "soft" }, "Calls with requests a second, mean latency and failed share, of the last half minute. "
    + "Point at a call or a node for more; a node leads to its page."),
  picture,
  el("div", { class: "toolbar" }, el("span", { class: "soft" }, "The same as"), forms),
  el("h2", {}, "Schema of each group"), schema);

let shown = null;

/** Puts the server's picture in; it is escaped there, and scripts are not run by this. */
function draw(text) {
  if (text === shown) return;
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  if (parsed.localName !== "svg") throw new Error("the picture of the cluster cannot be read");
  const place = [picture.scrollLeft, picture.scrollTop];
  replace(picture, document.importNode(parsed, true));
  [picture.scrollLeft, picture.scrollTop] = place;
  shown = text;
}

const signs = { consistent: "●", inconsistent: "✕", unknown: "○" };
/** `SCHEMA_ISSUE_TYPE_CACHE_STALE` as `cache stale`. */
const words = (name, prefix) => name.replace(prefix, "").replaceAll("_", " ").toLowerCase();

function groups(lifecycle) {
  if (!lifecycle.groups.length) return el("p", { class: "soft" }, "No group is known.");
  return table("Groups", ["Group", "Catalogue", "Verdict", "Differences"], lifecycle.groups.map((group) => {
    const verdict = words(group.schema_consistency?.status ?? "UNKNOWN", "CONSISTENCY_STATUS_");
    const issues = group.schema_consistency?.issues ?? [];
    return [group.name, words(group.catalog ?? "", "CATALOG_"),
      el("span", { class: verdict === "inconsistent" ? "badge open" : undefined }, `${signs[verdict] ?? "○"} ${verdict}`),
      issues.length ? issues.map((issue) =>
        el("div", {}, `${issue.kind} ${issue.name}: ${words(issue.type, "SCHEMA_ISSUE_TYPE_")} on ${issue.node}`)) : "none"];
  }));
}

live(async () => {
  await part(picture, async () => draw(await get("../cluster/graph?format=svg", { text: true })));
});
// Asking every liaison for its schema takes a moment, and schemas seldom change.
const refreshSchema = () => document.hidden ? undefined
  : part(schema, async () => groups(await get("../cluster/lifecycle"))).catch(() => undefined);
refreshSchema();
setInterval(refreshSchema, 60000);
