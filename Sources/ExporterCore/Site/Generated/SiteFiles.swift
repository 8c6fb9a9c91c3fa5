// SPDX-License-Identifier: Apache-2.0

// Made from Sources/ExporterCore/Site/Assets by scripts/embed-site.py; do not edit.

// swift-format-ignore-file

/// The files of the pages.
enum SiteFiles {
    /// Stands in each page.
    static let style = ##"""
        :root {
          color-scheme: light dark;
          --text: #1d2330; --soft: #515b6d; --back: #f4f6f9; --card: #ffffff; --line: #d8dee8; --link: #0b5cad;
          --online: #1a6b34; --silent: #8a5300; --unconnected: #9a3d00; --gone: #b3261e; --hover: #eaf1fa; --mark: #fff1c9;
          --tint-online: #eef7f0; --tint-silent: #fff4dc; --tint-unconnected: #fdebdc; --tint-gone: #fdeceb;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --text: #e6eaf1; --soft: #a5b0c2; --back: #12151b; --card: #1a1f28; --line: #313949; --link: #7cb9ff;
            --online: #6fce8d; --silent: #f0b849; --unconnected: #ff9e66; --gone: #ff8a80; --hover: #242c3a; --mark: #4a3d12;
            --tint-online: #16281c; --tint-silent: #322810; --tint-unconnected: #38230f; --tint-gone: #3b1b1a;
          }
        }
        * { box-sizing: border-box; }
        body { margin: 0; font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; color: var(--text); background: var(--back); }
        [hidden] { display: none !important; }
        a { color: var(--link); text-decoration: none; }
        a:hover, p a { text-decoration: underline; }
        p a.button { text-decoration: none; }
        :focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
        .skip { position: absolute; left: -999rem; }
        .skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .4rem .8rem; z-index: 20; }
        .banner { display: flex; flex-wrap: wrap; align-items: center; gap: .3rem 1.4rem; padding: .55rem 1.25rem;
          background: var(--card); border-bottom: 1px solid var(--line); }
        .brand { display: flex; align-items: center; gap: .5rem; font-weight: 650; color: var(--text); }
        nav[aria-label="Pages"] { display: flex; flex-wrap: wrap; gap: .15rem; flex: 1; }
        nav[aria-label="Pages"] a { padding: .3rem .7rem; border-radius: .4rem; color: var(--text); }
        nav[aria-label="Pages"] a:hover { background: var(--hover); text-decoration: none; }
        nav[aria-label="Pages"] a[aria-current] { background: var(--hover); color: var(--link); font-weight: 600; }
        nav .badge { margin-left: .4rem; }
        .version { color: var(--soft); font-size: .85rem; }
        .beacon { font-size: .85rem; padding: .15rem .6rem; border-radius: 1rem; border: 1px solid var(--line); color: var(--soft); }
        .beacon.live { color: var(--online); border-color: currentColor; }
        .beacon.late { color: var(--silent); border-color: currentColor; }
        .beacon.dead { color: var(--gone); border-color: currentColor; font-weight: 600; }
        main { padding: 1rem 1.25rem 3rem; max-width: 110rem; margin: 0 auto; }
        main:focus { outline: none; }
        h1 { font-size: 1.45rem; margin: .2rem 0 .8rem; overflow-wrap: anywhere; }
        h2 { font-size: 1.05rem; margin: 1.6rem 0 .5rem; }
        h3 { font-size: .92rem; margin: 0 0 .3rem; font-weight: 600; }
        p { margin: .4rem 0; }
        small { display: block; color: var(--soft); font-size: .82rem; font-weight: 400; }
        code, pre, .mono { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .82rem; }
        .notice { border: 1px solid var(--gone); color: var(--gone); background: var(--card); border-radius: .5rem; padding: .5rem .8rem;
          margin-bottom: .8rem; }
        .card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; }
        .locked { color: var(--soft); background: var(--card); border: 1px dashed var(--line); border-radius: .6rem; padding: .6rem 1rem; }
        .soft { color: var(--soft); }
        .state-online .state, .state-online > .sign, .sign.online { color: var(--online); }
        .state-silent .state, .state-silent > .sign { color: var(--silent); }
        .state-unconnected .state, .state-unconnected > .sign { color: var(--unconnected); }
        .state-gone .state, .state-gone > .sign { color: var(--gone); }
        .tiles { display: flex; flex-wrap: wrap; gap: .6rem; list-style: none; margin: 0 0 .9rem; padding: 0; }
        .tile { display: block; min-width: 7.5rem; padding: .45rem .9rem; border-radius: .6rem; background: var(--card);
          border: 1px solid var(--line); border-left-width: 5px; color: var(--text); }
        .tile b { font-size: 1.5rem; line-height: 1.2; display: block; }
        .tile.state-gone { border-left-color: var(--gone); } .tile.state-unconnected { border-left-color: var(--unconnected); }
        .tile.state-silent { border-left-color: var(--silent); } .tile.state-online { border-left-color: var(--online); }
        .tile.state-gone:not(.zero) { background: var(--tint-gone); } .tile.state-silent:not(.zero) { background: var(--tint-silent); }
        .tile.state-unconnected:not(.zero) { background: var(--tint-unconnected); }
        .filter { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .9rem; margin-bottom: .8rem; }
        input, select, button, .button { font: inherit; color: var(--text); background: var(--card); border: 1px solid var(--line);
          border-radius: .4rem; padding: .25rem .6rem; }
        button, .button { cursor: pointer; }
        button:hover, .button:hover { background: var(--hover); text-decoration: none; }
        .button[aria-current] { border-color: var(--link); color: var(--link); }
        .scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
        table { border-collapse: collapse; width: 100%; }
        th, td { text-align: left; vertical-align: top; padding: .34rem .7rem; border-top: 1px solid var(--line); white-space: nowrap; }
        thead th { border-top: 0; font-size: .82rem; color: var(--soft); font-weight: 600; }
        tbody th { font-weight: 500; white-space: normal; overflow-wrap: anywhere; min-width: 12rem; }
        tbody tr:hover { background: var(--hover); }
        td.wrap { white-space: normal; overflow-wrap: anywhere; min-width: 12rem; }
        .figure { text-align: right; font-variant-numeric: tabular-nums; }
        .spark svg { vertical-align: middle; margin-right: .5rem; }
        .spark span { display: inline-block; min-width: 4.2rem; }
        .sparkline polyline { fill: none; stroke: var(--link); stroke-width: 1.3; stroke-linecap: round; }
        tr.state-gone > th, tr.state-unconnected > th, tr.state-silent > th { font-weight: 650; }
        tr.state-gone { background: var(--tint-gone); } tr.state-unconnected { background: var(--tint-unconnected); }
        tr.state-silent { background: var(--tint-silent); }
        .pager { display: flex; gap: 1rem; padding: .6rem .2rem; color: var(--soft); }
        .facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .5rem 1.2rem; margin: 0; }
        .facts dt { color: var(--soft); font-size: .8rem; } .facts dd { margin: 0; overflow-wrap: anywhere; }
        .badge { display: inline-block; border: 1px solid currentColor; border-radius: .4rem; padding: 0 .45rem; font-size: .82rem;
          font-weight: 600; white-space: nowrap; }
        .badge.open { color: var(--gone); } .badge.closed { color: var(--soft); }
        .list { list-style: none; margin: 0; padding: 0; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
        .list li { padding: .5rem .9rem; display: flex; flex-wrap: wrap; gap: .2rem .8rem; align-items: baseline; }
        .list li + li { border-top: 1px solid var(--line); }
        .toolbar { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .6rem 0; }
        .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 27rem), 1fr)); gap: .8rem; }
        .chart { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .6rem .8rem; min-width: 0; }
        .chart .plot { height: 170px; width: 100%; }
        .chart .plot canvas { background: transparent; }
        .legend { font-size: .78rem; min-height: 1.2rem; display: flex; flex-wrap: wrap; gap: .1rem .8rem; color: var(--soft); }
        .legend i { font-style: normal; font-weight: 700; margin-right: .25rem; }
        .legend span { overflow-wrap: anywhere; }
        .legend b { color: var(--text); font-variant-numeric: tabular-nums; font-weight: 600; }
        .dygraph-axis-label { color: var(--soft) !important; font-size: 11px; }
        details { border: 1px solid var(--line); border-radius: .6rem; background: var(--card); margin: .5rem 0; }
        summary { cursor: pointer; padding: .5rem .9rem; overflow-wrap: anywhere; }
        details > .toolbar { margin: .2rem .9rem .4rem; }
        details > div:not(.toolbar), details > pre, details > table, details > dl { margin: 0 .9rem .8rem; }
        pre { overflow: auto; max-height: 26rem; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--back);
          border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .8rem; }
        .meter { display: inline-block; vertical-align: middle; width: 9rem; height: .7rem; margin-right: .5rem; }
        .meter rect { fill: var(--line); } .meter rect + rect { fill: var(--link); } .meter.full rect + rect { fill: var(--gone); }
        .graphbox { overflow: auto; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; max-height: 78vh; }
        .graph { max-width: none; display: block; }
        .graph .back { fill: var(--card); } .graph text { fill: var(--text); } .graph .figures { fill: var(--soft); stroke: var(--card); }
        .graph .failing .figures, .graph #arrow-failing path, .graph .arrow-failing { fill: var(--gone); }
        .graph .edge path { stroke: var(--soft); opacity: .65; } .graph .edge:hover path { opacity: 1; stroke: var(--link); }
        .graph .edge.failing path { stroke: var(--gone); opacity: 1; } .graph .arrow { fill: var(--soft); }
        .graph .state-online rect { fill: var(--tint-online); stroke: var(--online); } .graph .state-online .sign { fill: var(--online); }
        .graph .state-silent rect { fill: var(--tint-silent); stroke: var(--silent); } .graph .state-silent .sign { fill: var(--silent); }
        .graph .state-unconnected rect { fill: var(--tint-unconnected); stroke: var(--unconnected); }
        .graph .state-unconnected .sign { fill: var(--unconnected); }
        .graph .state-gone rect { fill: var(--tint-gone); stroke: var(--gone); } .graph .state-gone .sign { fill: var(--gone); }
        .graph .state-no-agent rect { fill: var(--back); stroke: var(--soft); } .graph .state-no-agent .sign { fill: var(--soft); }
        .endpoints { list-style: none; padding: 0; margin: 0; border: 1px solid var(--line); border-radius: .6rem; background: var(--card); }
        .endpoints li { padding: .7rem 1.1rem; } .endpoints li + li { border-top: 1px solid var(--line); }
        .endpoints h2 { margin: 0; font: 600 .92rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
        .endpoints p { margin: 0; color: var(--soft); }
        .endpoints dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: .3rem 0 0; font-size: .86rem; }
        .endpoints dt { font-family: ui-monospace, "DejaVu Sans Mono", monospace; } .endpoints dd { margin: 0; color: var(--soft); }
        .flamebox { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; overflow: hidden; min-height: 3rem; }
        .flamebox canvas { display: block; cursor: pointer; }
        #detail { min-height: 1.4rem; overflow-wrap: anywhere; }
        button.link { border: 0; background: none; padding: 0; color: var(--link); text-align: left; overflow-wrap: anywhere; }
        @media (max-width: 46rem) {
          main { padding: .7rem .7rem 2rem; } .banner { padding: .5rem .7rem; } .version { display: none; }
          nav[aria-label="Pages"] { order: 3; flex-basis: 100%; } .brand { flex: 1; }
          .tile { min-width: 5.2rem; padding: .35rem .6rem; } .tile b { font-size: 1.2rem; }
          th, td { padding: .3rem .45rem; } tbody th { min-width: 9rem; }
          .endpoints dl { grid-template-columns: minmax(0, 1fr); } .endpoints dt, .endpoints dd, .endpoints p { overflow-wrap: anywhere; }
        }

        """##

    /// Of the style sheet, as a policy names it.
    static let styleHash = "sha256-ySaSbF3SKkW0makyawolaa7Mn6aVwYl8EnMKFgNrF1E="

    /// By name.
    static let files: [(name: String, contentType: String, text: String)] = [
        ("blackbox.js", "text/javascript; charset=utf-8", ##"""
        // SPDX-License-Identifier: Apache-2.0
        // The black box' endpoints, in the form that the pages want.
        import { Refusal, bytes, cores, get, number, seconds } from "./common.js";

        const iso = (milliseconds) => new Date(milliseconds).toISOString();
        const path = (pod) => `../black-box/${encodeURIComponent(pod)}`;

        /** Series of a node by name within a range of milliseconds; null: nothing is recorded, or nothing of this node. */
        export function samples(pod, names, [start, end]) {
          const query = new URLSearchParams({ format: "json", start: iso(start), end: iso(end) });
          for (const name of names) query.append("match", name);
          return orNull(get(`${path(pod)}?${query}`));
        }

        /** The state of a node, and its most telling charts within a range; without one of its last 15 minutes. */
        export const summary = (pod, range) =>
          orNull(get(`${path(pod)}/summary${range ? `?${new URLSearchParams({ start: iso(range[0]), end: iso(range[1]) })}` : ""}`));

        /** How a unit of the summary's charts is written. */
        export const figures = {
          "bytes": bytes, "percent": (value) => `${number(value)} %`, "cores": cores, "seconds": seconds,
          "1/s": (value) => `${number(value)} /s`, "bytes/s": (value) => `${bytes(value)}/s`, "": number,
        };

        /** The lines of a chart of the summary: points in milliseconds. */
        export const linesOf = (chart) => chart.lines.map((line) => ({
          name: [line.name, line.container_name].filter(Boolean).join(", "), points: line.points.map(([time, value]) => [time * 1000, value]),
        }));

        /** Incidents, the newest first; null: nothing is recorded. */
        export async function incidents(parameters = {}) {
          return (await orNull(get(`../incidents?${new URLSearchParams(parameters)}`)))?.incidents ?? null;
        }

        export const incident = (id) => get(`../incidents/${encodeURIComponent(id)}`);
        export const changes = (id) => get(`../incidents/${encodeURIComponent(id)}/changes`);
        export const bundleAddress = (id) => `../incidents/${encodeURIComponent(id)}/bundle`;

        async function orNull(answer) {
          try {
            return await answer;
          } catch (error) {
            if (error instanceof Refusal && error.status === 404) return null;
            throw error;
          }
        }

        """##),
        ("charts.js", "text/javascript; charset=utf-8", ##"""
        // SPDX-License-Identifier: Apache-2.0
        // Charts that share one time axis, drawn by dygraphs. Names of series are agents' texts: they stand in legends as text.
        import { el, number } from "./common.js";

        const Dygraph = window.Dygraph;
        // Its own legend writes HTML; ours does not.
        Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);

        const colors = ["#2f7ed8", "#c05b00", "#1a8f4c", "#a34fb8", "#a37a00", "#d0483f", "#008b9a", "#6b6fd6"];
        /** Lines of one chart at most: more cannot be told apart. */
        export const mostLines = colors.length;

        /** Rows of one time each, out of lines that may have points at other times. */
        function rowsOf(lines) {
          const rows = new Map();
          lines.forEach((line, index) => {
            for (const [time, value] of withGaps(line.points)) {
              if (!rows.has(time)) rows.set(time, [new Date(time), ...lines.map(() => null)]);
              rows.get(time)[index + 1] = value;
            }
          });
          return [...rows.entries()].sort((one, other) => one[0] - other[0]).map(([, row]) => row);
        }

        /** A line is not drawn across a time from which nothing is known: four times the usual distance of its points. */
        function withGaps(points) {
          if (points.length < 3) return points;
          const distances = points.slice(1).map((point, index) => point[0] - points[index][0]).sort((a, b) => a - b);
          const most = 4 * distances[Math.floor(distances.length / 2)];
          return points.flatMap((point, index) => index > 0 && point[0] - points[index - 1][0] > most
            ? [[points[index - 1][0] + 1, NaN], point] : [point]);
        }

        /** Charts in one element, with one range of time. */
        export class Charts {
          #charts = new Map();

          /**
           * @param element holds the charts
           * @param range start and end in milliseconds
           * @param onRange is called with a range that somebody has dragged; null: all again
           * @param marks moments that all charts show: [{ time, color }]
           * @param of the node that they are of, where a page has charts of several
           */
          constructor(element, { range, onRange, marks = [], of = "" }) {
            Object.assign(this, { element, range, onRange, marks, of });
          }

          /** Shows a chart, or what is new in it. Lines are [{ name, points: [[milliseconds, value]] }]. */
          show(title, lines, figure = number) {
            const shown = lines.slice(0, mostLines);
            const rows = rowsOf(shown);
            if (!rows.length) return this.#remove(title);
            const labels = ["time", ...shown.map((line, index) => `${index} ${line.name}`)];
            const known = this.#charts.get(title);
            if (known && known.labels.join("\n") === labels.join("\n")) {
              known.graph.updateOptions({ file: rows, dateWindow: this.range });
              known.rows = rows;
              known.legend();
              return;
            }
            known?.graph.destroy();
            const legend = el("div", { class: "legend" });
            const plot = el("div", { class: "plot", role: "img", "aria-label": `Chart of ${title}: ${shown.map((line) => line.name).join(", ")}` });
            const box = known?.box ?? el("section", { class: "chart", "aria-label": this.of ? `${title} of ${this.of}` : title });
            const left = lines.length - shown.length;
            box.replaceChildren(el("h3", {}, title, left > 0 ? el("small", {}, `the largest ${mostLines} of ${lines.length}`) : ""), plot, legend);
            if (!known) this.element.append(box);
            const chart = { box, labels, rows, shown };
            chart.legend = (row = chart.rows.findLast((one) => one.slice(1).some((value) => Number.isFinite(value)))) => {
              legend.replaceChildren(...shown.map((line, index) => {
                const swatch = el("i", {}, "━");
                swatch.style.color = colors[index];
                return el("span", {}, swatch, `${line.name} `, el("b", {}, Number.isFinite(row?.[index + 1]) ? figure(row[index + 1]) : "–"));
              }));
            };
            chart.graph = new Dygraph(plot, rows, this.#options(chart, labels, figure));
            chart.legend();
            this.#charts.set(title, chart);
          }

          setRange(range) {
            this.range = range;
            for (const chart of this.#charts.values()) chart.graph.updateOptions({ dateWindow: range });
          }

          /** Removes the charts that are not among these. */
          keep(titles) {
            for (const title of [...this.#charts.keys()]) if (!titles.includes(title)) this.#remove(title);
          }

          get isEmpty() {
            return this.#charts.size === 0;
          }

          #remove(title) {
            this.#charts.get(title)?.graph.destroy();
            this.#charts.get(title)?.box.remove();
            this.#charts.delete(title);
          }

          #options(chart, labels, figure) {
            const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
            return {
              labels, colors: colors.slice(0, labels.length - 1), dateWindow: this.range, legend: "never",
              connectSeparatedPoints: true, includeZero: true, strokeWidth: 1.5, animatedZooms: false, drawPoints: chart.rows.length < 4,
              axes: {
                y: { axisLabelFormatter: (value) => figure(value), axisLabelWidth: 62, pixelsPerLabel: 34 },
                x: { pixelsPerLabel: 76 },
              },
              gridLineColor: isDark ? "#2b3342" : "#e3e8ef", axisLineColor: isDark ? "#4a556b" : "#b9c2d0",
              highlightCallback: (event, time, points, row) => chart.legend(chart.graph.rawData_?.[row] ?? undefined),
              unhighlightCallback: () => chart.legend(),
              zoomCallback: (start, end) => this.onRange?.(chart.graph.isZoomed("x") ? [start, end] : null),
              underlayCallback: (canvas, area, graph) => this.#drawMarks(canvas, area, graph),
            };
          }

          #drawMarks(canvas, area, graph) {
            for (const mark of this.marks) {
              const x = graph.toDomXCoord(mark.time);
              if (x < area.x || x > area.x + area.w) continue;
              canvas.save();
              canvas.strokeStyle = mark.color ?? "#d0483f";
              canvas.setLineDash([5, 3]);
              canvas.lineWidth = 1.5;
              canvas.beginPath();
              canvas.moveTo(x, area.y);
              canvas.lineTo(x, area.y + area.h);
              canvas.stroke();
              canvas.restore();
            }
          }
        }

        """##),
        ("common.js", "text/javascript; charset=utf-8", ##"""
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

        """##),
        ("flame.js", "text/javascript; charset=utf-8", ##"""
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

        """##),
        ("fleet.js", "text/javascript; charset=utf-8", ##"""
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

        """##),
        ("icon.svg", "image/svg+xml", ##"""
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0b5cad"/><path d="M4 18h6l3-9 5 15 4-10 2 4h4" fill="none" stroke="#ffffff" stroke-width="2.6" stroke-linejoin="round" stroke-linecap="round"/></svg>

        """##),
        ("incident.js", "text/javascript; charset=utf-8", ##"""
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

        """##),
        ("incidents.js", "text/javascript; charset=utf-8", ##"""
        // SPDX-License-Identifier: Apache-2.0
        // The list of incidents, which the server has made, kept up to date.
        import * as box from "./blackbox.js";
        import { byID, el, get, live, part } from "./common.js";
        import { incidentList } from "./parts.js";

        live(() => part(byID("content"), async () => {
          const { recording } = await get("../fleet?limit=1");
          const incidents = recording ? await box.incidents({ limit: 200 }) : null;
          return incidents === null
            ? el("p", { class: "soft" }, "Nothing is recorded: --record-interval is 0, or the service has no folder for the black box.")
            : incidentList(incidents);
        }));

        """##),
        ("node.js", "text/javascript; charset=utf-8", ##"""
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

        """##),
        ("parts.js", "text/javascript; charset=utf-8", ##"""
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

        """##),
        ("profile.js", "text/javascript; charset=utf-8", ##"""
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

        """##),
        ("proxy.js", "text/javascript; charset=utf-8", ##"""
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

        """##),
        ("series.js", "text/javascript; charset=utf-8", ##"""
        // SPDX-License-Identifier: Apache-2.0
        // Charts of a node beside those of the summary, and how they are made of the series of the black box.
        import { number, seconds } from "./common.js";

        const perSecond = (value) => `${number(value)} /s`;

        /**
         * Charts beside those of the summary, in their order. Of each: the names of its metrics, labels whose values are one line
         * each (`by`; else the metrics' names are), whether it is a counter (`rate`) or the buckets of a histogram (`quantiles`).
         */
        export const moreCharts = [
          { title: "Calls to other nodes", names: ["banyandb_queue_pub_total_finished"], by: ["remote_node"], rate: true, figure: perSecond },
          { title: "Latency of calls to other nodes", names: ["banyandb_queue_pub_total_latency_bucket"], quantiles: [0.5, 0.95, 0.99], figure: seconds },
          { title: "Failed calls", names: ["banyandb_queue_pub_total_err", "banyandb_queue_sub_total_err"], rate: true, figure: perSecond },
          { title: "Messages from other nodes", names: ["banyandb_queue_sub_total_finished", "banyandb_queue_sub_total_message_finished"], rate: true, figure: perSecond },
          { title: "Merged parts", names: ["banyandb_measure_total_merged_parts", "banyandb_stream_tst_total_merged_parts", "banyandb_trace_tst_total_merged_parts"], rate: true, figure: perSecond },
          { title: "Flushes", names: ["banyandb_storage_flush_duration_seconds_count"], rate: true, figure: perSecond },
        ];

        export const namesOf = (charts) => [...new Set(charts.flatMap((chart) => chart.names))];

        /** Points of a series of `/black-box/{pod_name}?format=json`: milliseconds and numbers. */
        const pointsOf = (series) => series.data.map((point) => [Date.parse(point.timestamp), Number(point.value)]);

        /** Differences in a second; where a counter began anew nothing is known. */
        function rates(points) {
          return points.slice(1).map(([time, value], index) => {
            const [timeBefore, valueBefore] = points[index];
            const change = value - valueBefore;
            return [time, change >= 0 && time > timeBefore ? change / ((time - timeBefore) / 1000) : NaN];
          });
        }

        /** Sums of several series' points by their times. */
        function together(lists) {
          if (lists.length === 1) return lists[0];
          const sums = new Map();
          for (const points of lists) {
            for (const [time, value] of points) {
              if (!Number.isFinite(value)) continue;
              sums.set(time, (sums.get(time) ?? 0) + value);
            }
          }
          return [...sums.entries()].sort((one, other) => one[0] - other[0]);
        }

        const most = (line) => Math.max(...line.points.map(([, value]) => value).filter(Number.isFinite), -Infinity);

        /** The lines of a chart, the largest first; none where no series has its names. */
        export function linesOf(chart, series) {
          const wanted = series.filter((one) => chart.names.includes(one.name));
          if (chart.quantiles) return quantileLines(chart, wanted);
          const groups = Map.groupBy(wanted, (one) => chart.by
            ? chart.by.map((label) => one.labels[label] ?? "").join(" ") || one.name : one.name);
          const lines = [...groups].map(([name, members]) => ({
            name, points: together(members.map((one) => chart.rate ? rates(pointsOf(one)) : pointsOf(one))),
          }));
          return lines.filter((line) => most(line) > -Infinity).sort((one, other) => most(other) - most(one));
        }

        /** Every series of one name as a line, named by the labels in which they differ. */
        export function linesOfName(name, series, isCounter) {
          const wanted = series.filter((one) => one.name === name);
          const labels = [...new Set(wanted.flatMap((one) => Object.keys(one.labels)))]
            .filter((label) => new Set(wanted.map((one) => one.labels[label])).size > 1);
          return wanted.map((one) => ({
            name: labels.map((label) => `${label}=${one.labels[label] ?? ""}`).join(" ") || name,
            points: isCounter ? rates(pointsOf(one)) : pointsOf(one),
          })).filter((line) => most(line) > -Infinity).sort((one, other) => most(other) - most(one));
        }

        function quantileLines(chart, buckets) {
          const byBound = [...Map.groupBy(buckets, (one) => one.labels.le)]
            .map(([bound, members]) => [bound === "+Inf" ? Infinity : Number(bound), new Map(together(members.map((one) => rates(pointsOf(one)))))])
            .filter(([bound]) => !Number.isNaN(bound)).sort((one, other) => one[0] - other[0]);
          const times = [...(byBound.at(-1)?.[1].keys() ?? [])];
          return chart.quantiles.map((quantile) => ({
            name: `p${quantile * 100}`,
            points: times.map((time) => [time, quantileAt(quantile, byBound.map(([bound, points]) => [bound, points.get(time) ?? NaN]))]),
          })).filter((line) => most(line) > -Infinity);
        }

        /** As Prometheus' histogram_quantile: linear within a bucket, the highest bound for what lies above it. */
        function quantileAt(quantile, counts) {
          const total = counts.at(-1)[1];
          if (!(total > 0)) return NaN;
          let [lower, before] = [0, 0];
          for (const [bound, cumulated] of counts) {
            if (cumulated >= quantile * total) {
              if (bound === Infinity) return lower;
              return cumulated > before ? lower + (bound - lower) * (quantile * total - before) / (cumulated - before) : bound;
            }
            [lower, before] = [bound, cumulated];
          }
          return NaN;
        }

        """##),
        ("topology.js", "text/javascript; charset=utf-8", ##"""
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

        """##),
    ]
}
