// SPDX-License-Identifier: Apache-2.0
// A flame graph on a canvas, of the columns that `format=json` of a profile has: the root on top, each call below its caller.

const rowHeight = 18;
const letterWidth = 6.6;
/** Narrower frames are not drawn. */
const narrowest = 0.5;
const font = '11px ui-monospace, "DejaVu Sans Mono", monospace';

/** The tree of a profile, with what drawing and searching need of each node. */
export class Tree {
  constructor(profile) {
    const nodes = profile.nodes;
    this.profile = profile;
    this.names = profile.names;
    this.parent = nodes.parent;
    this.name = nodes.name;
    this.own = nodes.own;
    this.total = nodes.total;
    this.isDifference = profile.base_total !== null;
    this.baseOwn = nodes.base_own ?? nodes.own.map(() => 0);
    this.baseTotal = nodes.base_total ?? nodes.total.map(() => 0);
    this.size = this.parent.length;
    this.depth = this.parent.map(() => 0);
    for (let node = 1; node < this.size; node += 1) this.depth[node] = this.depth[this.parent[node]] + 1;
    // A node comes after its caller; behind the last of its calls another branch begins.
    this.end = this.parent.map((_, node) => node + 1);
    for (let node = this.size - 1; node > 0; node -= 1) {
      const caller = this.parent[node];
      this.end[caller] = Math.max(this.end[caller], this.end[node]);
    }
  }

  nameOf(node) { return this.names[this.name[node]]; }

  /** The value that counts: of a difference the change. */
  value(now, before) { return this.isDifference ? now - before : now; }

  /** Left edges, as parts of what the widths sum up to. */
  edges(widths) {
    const left = new Array(this.size).fill(0);
    const next = new Array(this.size).fill(0);
    for (let node = 1; node < this.size; node += 1) {
      const caller = this.parent[node];
      left[node] = next[caller];
      next[node] = left[node];
      next[caller] += Math.max(0, widths[node]);
    }
    return left;
  }

  /** By function: own and total values, each stack counted once however often a function calls itself. */
  functions() {
    const rows = this.names.map((name) => ({ name, own: 0, total: 0, baseOwn: 0, baseTotal: 0 }));
    const open = new Array(this.names.length).fill(0);
    const path = [];
    for (let node = 1; node < this.size; node += 1) {
      while (path.length && this.end[path.at(-1)] <= node) open[this.name[path.pop()]] -= 1;
      const row = rows[this.name[node]];
      row.own += this.own[node];
      row.baseOwn += this.baseOwn[node];
      if (open[this.name[node]] === 0) {
        row.total += this.total[node];
        row.baseTotal += this.baseTotal[node];
      }
      open[this.name[node]] += 1;
      path.push(node);
    }
    return rows.filter((row) => row.total || row.baseTotal || row.own || row.baseOwn);
  }

  /** The part of the whole that is in frames with these names, none counted twice. */
  sumOf(matches, totals) {
    let sum = 0;
    for (let node = 0; node < this.size; node += 1) {
      if (!matches.has(this.name[node])) continue;
      sum += totals[node];
      node = this.end[node] - 1;
    }
    return sum;
  }
}

function hash(text) {
  let value = 2166136261;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 16777619);
  return value >>> 0;
}

/** Draws a tree, and tells which frame is pointed at or chosen. */
export class FlameGraph {
  constructor(canvas, { pointed, zoomed }) {
    this.canvas = canvas;
    this.pointed = pointed;
    this.zoomed = zoomed;
    this.matches = new Set();
    this.root = 0;
    this.cursor = 0;
    this.drawn = [];
    canvas.addEventListener("mousemove", (event) => this.point(this.at(event)));
    canvas.addEventListener("click", (event) => this.zoom(this.at(event)));
    canvas.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(canvas.parentElement);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  show(tree, isBefore) {
    this.tree = tree;
    this.widths = isBefore ? tree.baseTotal : tree.total;
    this.left = tree.edges(this.widths);
    this.rows = 1 + tree.depth.reduce((most, depth) => Math.max(most, depth), 0);
    if (this.root >= tree.size) this.root = 0;
    this.cursor = this.root;
    this.draw();
  }

  mark(matches) {
    this.matches = matches;
    this.draw();
  }

  zoom(node) {
    if (node === null) return;
    this.root = node;
    this.cursor = node;
    this.draw();
    this.zoomed(node);
    this.point(node);
  }

  point(node) {
    if (node !== null && node !== this.cursor) {
      this.cursor = node;
      this.draw();
    }
    this.pointed(node);
  }

  /** The frame below the pointer, or null. */
  at(event) {
    const row = this.drawn[Math.floor(event.offsetY / rowHeight)] ?? [];
    return row.find((frame) => event.offsetX >= frame.x && event.offsetX < frame.x + frame.width)?.node ?? null;
  }

  key(event) {
    const row = this.drawn[this.tree.depth[this.cursor]] ?? [];
    const place = row.findIndex((frame) => frame.node === this.cursor);
    const below = this.drawn[this.tree.depth[this.cursor] + 1] ?? [];
    const to = {
      ArrowLeft: () => row[place - 1]?.node,
      ArrowRight: () => row[place + 1]?.node,
      ArrowUp: () => (this.cursor > 0 ? this.tree.parent[this.cursor] : undefined),
      ArrowDown: () => below.find((frame) => this.tree.parent[frame.node] === this.cursor)?.node,
    }[event.key];
    if (to) {
      const node = to();
      if (node !== undefined) this.point(node);
    } else if (event.key === "Enter") this.zoom(this.cursor);
    else if (event.key === "Escape" && this.root !== 0) this.zoom(0);
    else return;
    event.preventDefault();
  }

  draw() {
    const tree = this.tree;
    if (!tree) return;
    const [width, height] = [this.canvas.parentElement.clientWidth, this.rows * rowHeight];
    const scale = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    const context = this.canvas.getContext("2d");
    context.scale(scale, scale);
    context.font = font;
    context.textBaseline = "middle";
    this.drawn = [];
    const whole = Math.max(this.widths[this.root], 0);
    const ancestors = new Set();
    for (let node = tree.parent[this.root]; node >= 0; node = tree.parent[node]) ancestors.add(node);
    for (const node of ancestors) this.frame(context, node, 0, width, true);
    for (let node = this.root; node < tree.end[this.root]; node += 1) {
      const part = whole > 0 ? Math.max(this.widths[node], 0) / whole : 0;
      if (node !== this.root && part * width < narrowest) {
        // Its calls are not wider.
        node = tree.end[node] - 1;
        continue;
      }
      const x = whole > 0 ? (this.left[node] - this.left[this.root]) / whole * width : 0;
      this.frame(context, node, x, node === this.root ? width : part * width, false);
    }
    for (const row of this.drawn) row?.sort((one, other) => one.x - other.x);
  }

  frame(context, node, x, width, isAncestor) {
    const depth = this.tree.depth[node];
    (this.drawn[depth] ??= []).push({ node, x, width });
    const y = depth * rowHeight;
    const isMatch = this.matches.has(this.tree.name[node]);
    context.globalAlpha = isAncestor ? 0.55 : 1;
    context.fillStyle = isMatch ? "#d8a3ff" : this.colour(node);
    context.fillRect(x, y, Math.max(width - 1, narrowest), rowHeight - 1);
    if (node === this.cursor) {
      context.strokeStyle = "#000000";
      context.lineWidth = 1.5;
      context.strokeRect(x + 0.75, y + 0.75, Math.max(width - 2.5, 0.5), rowHeight - 2.5);
    }
    const letters = Math.floor((width - 6) / letterWidth);
    if (letters >= 3) {
      const name = this.tree.nameOf(node);
      context.fillStyle = "#111111";
      context.fillText(name.length > letters ? `${name.slice(0, letters - 1)}…` : name, x + 3, y + rowHeight / 2);
    }
    context.globalAlpha = 1;
  }

  /** Light in either scheme, so that black letters are read on all of them. */
  colour(node) {
    const tree = this.tree;
    if (tree.isDifference) {
      const change = tree.total[node] - tree.baseTotal[node];
      const whole = Math.max(tree.total[0], tree.baseTotal[0], 1);
      // The square root, so that a change of a hundredth is seen.
      const fade = 235 - Math.round(Math.min(1, Math.sqrt(Math.abs(change) / whole)) * 125);
      return change >= 0 ? `rgb(250,${fade},${fade})` : `rgb(${fade},${fade},250)`;
    }
    if (node === 0) return "rgb(225,225,225)";
    const value = hash(tree.nameOf(node));
    return `rgb(245,${165 + (value >> 8 & 63)},${95 + (value >> 20 & 63)})`;
  }
}
