// What is drawn: each chart has lines, and each line a value for every sample.
import { bytes, count, duration, rate } from "../../format.js";
import { type Scrape, quantile } from "./prometheus.js";
import type { Sample } from "./sampler.js";

export interface Line {
  name: string;
  /** The custom property of its colour. */
  color: string;
  /** Undefined is a gap. */
  value(samples: readonly Sample[], i: number): number | undefined;
}

export interface Chart {
  title: string;
  /** What it says, for who does not know. */
  note: string;
  lines: Line[];
  show(value: number): string;
}

const rateOver = 3; // samples
const quantileOver = 15; // samples

/** How much a counter grows in a second. */
function perSecond(read: (s: Scrape) => number): Line["value"] {
  return (samples, i) => {
    const first = samples[Math.max(0, i - rateOver)]!.scrape;
    const last = samples[i]!.scrape;
    const [a, b] = [read(first), read(last)];
    if (last.at === first.at) return undefined;
    return b < a ? undefined : ((b - a) * 1000) / (last.at - first.at); // the broker was started again
  };
}

const gauge = (name: string): Line["value"] => (samples, i) => samples[i]!.scrape.sum(name);

const part = (name: string, of: number): Line["value"] => (samples, i) => (i === 0 ? undefined : quantile(samples[Math.max(0, i - quantileOver)]!.scrape, samples[i]!.scrape, name, of));

const percentiles = (name: string): Line[] => [
  { name: "median", color: "--enter", value: part(name, 0.5) },
  { name: "95 %", color: "--stay", value: part(name, 0.95) },
  { name: "99 %", color: "--exit", value: part(name, 0.99) },
];

/** What was never counted is not told of. */
const counter = (name: string, labels?: string) => perSecond((s) => (labels === undefined ? s.sum(name) : s.get(name, labels)) ?? 0);

const aSecond = (n: number) => `${rate(n)}/s`;

export const charts: Chart[] = [
  {
    title: "Connections",
    note: "Clients that are connected, and sessions, those of absent clients included.",
    show: count,
    lines: [
      { name: "connected", color: "--enter", value: gauge("ambit_connections") },
      { name: "sessions", color: "--stay", value: gauge("ambit_sessions") },
    ],
  },
  {
    title: "Messages",
    note: "Messages that clients published, and that clients were sent, each second.",
    show: aSecond,
    lines: [
      { name: "in", color: "--enter", value: counter("ambit_publishes_received_total") },
      { name: "out", color: "--stay", value: counter("ambit_messages_sent_total") },
    ],
  },
  {
    title: "Notifications",
    note: "Notifications of rooms, one for each member, each second.",
    show: aSecond,
    lines: [
      { name: "enter", color: "--enter", value: counter("ambit_notifications_total", '{kind="enter"}') },
      { name: "stay", color: "--stay", value: counter("ambit_notifications_total", '{kind="stay"}') },
      { name: "exit", color: "--exit", value: counter("ambit_notifications_total", '{kind="exit"}') },
    ],
  },
  {
    title: "Matching",
    note: "Changes of documents each second, for which the rooms were found.",
    show: aSecond,
    lines: [{ name: "changes", color: "--accent", value: counter("ambit_changes_total") }],
  },
  { title: "Time to match", note: "Time to find the rooms that a change concerns, of the changes of 30 s.", show: duration, lines: percentiles("ambit_match_seconds") },
  { title: "Time to sync", note: "Time that a group of writes took to be on disk, of the groups of 30 s.", show: duration, lines: percentiles("ambit_store_sync_seconds") },
  {
    title: "Round trip",
    note: "Time that a request of this page took, over MQTT and back.",
    show: duration,
    lines: [{ name: "this page", color: "--accent", value: (samples, i) => samples[i]!.roundTrip }],
  },
  {
    title: "Store",
    note: "Bytes on disk: all of the store, and the log that is written ahead.",
    show: bytes,
    lines: [
      { name: "on disk", color: "--enter", value: gauge("ambit_store_disk_bytes") },
      { name: "log", color: "--stay", value: gauge("ambit_store_log_bytes") },
    ],
  },
  {
    title: "Queues",
    note: "Messages that wait for clients, there or not, and clients that have taken nothing for a second.",
    show: count,
    lines: [
      { name: "waiting", color: "--stay", value: gauge("ambit_queued_messages") },
      { name: "slow clients", color: "--exit", value: gauge("ambit_slow_clients") },
    ],
  },
  {
    title: "Dropped and refused",
    note: "Messages that clients were not given, and what they were refused, each second.",
    show: aSecond,
    lines: [
      { name: "dropped", color: "--exit", value: counter("ambit_messages_dropped_total") },
      { name: "refused", color: "--stay", value: counter("ambit_refusals_total") },
    ],
  },
];
