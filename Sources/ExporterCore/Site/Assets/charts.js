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
