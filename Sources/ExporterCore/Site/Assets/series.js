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
