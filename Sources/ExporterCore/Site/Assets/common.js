// SPDX-License-Identifier: Apache-2.0
// The base of all pages: elements, figures, requests, the beacon. Text gets into a page as text nodes alone.

/** An element with attributes and children; texts among the children become text nodes. */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same of SVG. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

export const byID = (id) => document.getElementById(id);

/** Replaces what is in an element, unless the focus is in there: then the next turn does it. */
export function replace(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
}

// Figures, as `Figures` of the server has them.

export function age(seconds) {
  seconds = Math.max(0, Math.floor(seconds));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

export const since = (time) => age((now() - Date.parse(time)) / 1000);

export function count(value) {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

export function bytes(value) {
  return scaled(value, ["B", "kB", "MB", "GB", "TB"]);
}

function scaled(value, units) {
  if (!Number.isFinite(value)) return "–";
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || Math.abs(value) >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export const cores = (value) => (value < 10 ? value.toFixed(2) : value.toFixed(1));

/** About three digits. */
export function number(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e6) return scaled(value, ["", "k", "M", "G", "T"]).trim();
  if (size >= 100 || size === 0) return count(value);
  if (size >= 1) return String(Number(value.toFixed(2)));
  return String(Number(value.toPrecision(2)));
}

export function seconds(value) {
  if (value >= 120) return age(value);
  if (value < 0.001) return `${number(value * 1e6)} µs`;
  return value < 1 ? `${number(value * 1000)} ms` : `${number(value)} s`;
}

const pad = (value) => String(value).padStart(2, "0");

/** Date and time of the browser's zone. */
export function clock(time) {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "–";
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

export const signs = { gone: "✕", unconnected: "◌", silent: "▲", online: "●", "no-agent": "○" };

export const nodeLink = (pod) => `node?pod_name=${encodeURIComponent(pod)}`;

// Requests.

/** An answer that is not what was asked for; `status` is 0 where nothing has answered. */
export class Refusal extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
  get isLocked() {
    return this.status === 401 || this.status === 403;
  }
}

const tags = new Map();
let clockSkew = 0;

/** The server's time, in milliseconds: ages are right where the browser's clock is not. */
export const now = () => Date.now() + clockSkew;

/** The answer of a path relative to the page; with a tag, an answer that is the same is not sent again. */
export async function get(path, { text = false } = {}) {
  const known = tags.get(path);
  let response;
  try {
    response = await fetch(path, { headers: known ? { "If-None-Match": known.tag } : {}, cache: "no-store" });
  } catch {
    throw new Refusal(0, "the proxy does not answer");
  }
  const date = Date.parse(response.headers.get("Date") ?? "");
  // In whole seconds, so that less than one counts as 0.
  if (!Number.isNaN(date) && Math.abs(date - Date.now()) > 2000) clockSkew = date - Date.now();
  if (response.status === 304 && known) return known.value;
  if (!response.ok) throw new Refusal(response.status, (await response.text()).slice(0, 300).trim());
  const value = text ? await response.text() : await response.json();
  const tag = response.headers.get("ETag");
  if (tag) {
    if (tags.size > 64) tags.clear();
    tags.set(path, { tag, value });
  }
  return value;
}

// Live.

const beacon = byID("beacon");
const interval = 5000;
let lastAnswer = null;
let isAnswering = true;

function showBeacon() {
  if (lastAnswer === null) return;
  const seconds = (Date.now() - lastAnswer) / 1000;
  const [name, text] = !isAnswering
    ? ["dead", `proxy does not answer, ${age(seconds)} old`]
    : seconds < 8 ? ["live", "live"] : ["late", `${age(seconds)} old`];
  if (beacon.textContent !== text) beacon.textContent = text;
  beacon.className = `beacon ${name}`;
}

/** Says on the page what went wrong; empty: nothing. */
export function notice(text) {
  const box = byID("notice");
  if (box.textContent !== text) box.textContent = text;
  box.hidden = !text;
}

let mayAskFleet = true;

/** How many nodes are failing, on every page beside the link that leads to them. */
async function showFailing() {
  if (!mayAskFleet) return;
  let failing = 0;
  try {
    const { counts } = await get("../fleet?limit=1");
    for (const [state, nodes] of Object.entries(counts)) if (state !== "online") failing += nodes;
  } catch (error) {
    // The page itself says what is wrong.
    mayAskFleet = !error.isLocked;
  }
  const link = document.querySelector('nav a[href="./"]');
  if ((link.dataset.failing ?? "0") === String(failing)) return;
  link.dataset.failing = failing;
  replace(link, "Fleet", failing ? el("span", { class: "badge open", title: `${failing} nodes are failing` }, `✕ ${failing}`) : "");
}

/** Calls `update` at once and every five seconds while the page can be seen. */
export function live(update) {
  let isRunning = false;
  async function turn() {
    if (isRunning || document.hidden) return;
    isRunning = true;
    try {
      await update();
      lastAnswer = Date.now();
      isAnswering = true;
      notice("");
      await showFailing();
    } catch (error) {
      if (error instanceof Refusal && error.status === 0) isAnswering = false;
      else notice(error instanceof Refusal && error.isLocked ? `This page is locked: ${error.message}` : String(error.message));
      if (lastAnswer === null) lastAnswer = Date.now();
    } finally {
      isRunning = false;
      showBeacon();
    }
  }
  setInterval(turn, interval);
  setInterval(showBeacon, 1000);
  document.addEventListener("visibilitychange", () => {
    showBeacon();
    turn();
  });
  turn();
  return turn;
}

/** A part of a page; one that is locked or fails says so in its place, and the others go on. */
export async function part(element, make) {
  try {
    const made = await make();
    if (made !== undefined) replace(element, made);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 0) throw error;
    replace(element, error.isLocked
      ? el("p", { class: "locked" }, "🔒 Locked: these credentials do not allow it. ", el("span", {}, error.message))
      : el("p", { class: "locked" }, `Not available: ${error.message}`));
  }
}

/** A small chart of values, null where one is not known; as `Sparkline` of the server. */
export function sparkline(values) {
  const [width, height] = [60, 18];
  const most = Math.max(...values.filter((value) => value !== null), 0);
  const runs = [[]];
  values.forEach((value, index) => {
    if (value === null) return runs.push([]);
    const y = height - 1 - (most > 0 ? value / most : 0) * (height - 2);
    runs.at(-1).push(`${width - values.length + index},${y.toFixed(1)}`);
  });
  const lines = runs.filter((run) => run.length).map((run) => svg("polyline", { points: run.join(" ") }));
  return svg("svg", { class: "sparkline", viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" }, lines);
}

/** A table in a box that scrolls; `figures` are columns whose cells stand at the right. */
export function table(label, headings, rows, figures = []) {
  const kind = (index) => (figures.includes(index) ? "figure" : undefined);
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    el("table", {},
      el("thead", {}, el("tr", {}, headings.map((text, index) => el("th", { scope: "col", class: kind(index) }, text)))),
      el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((cell, index) => index === 0
        ? el("th", { scope: "row" }, cell)
        : el("td", { class: kind(index) ?? "wrap" }, cell)))))));
}

export const facts = (pairs) => el("dl", { class: "facts card" },
  pairs.filter(([, value]) => value !== "" && value !== undefined && value !== null)
    .map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
