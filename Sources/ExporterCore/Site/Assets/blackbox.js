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
