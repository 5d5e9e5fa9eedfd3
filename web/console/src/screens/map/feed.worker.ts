// Follows the documents of a collection on a connection of its own, beside the page, so that the page has time to draw
// whatever comes. Of each document only the last message is read, when a frame asks for it.
import { Connection } from "@ambit/client";

import type { FromWorker, Source, ToWorker } from "./messages.js";
import { mercatorX, mercatorY, pointFields, readPoint, valueAt } from "./position.js";

const post = (message: FromWorker, transfer: Transferable[] = []) => (self as unknown as Worker).postMessage(message, transfer);

let secret: string | undefined;
let connection: Promise<Connection> | undefined;
let turn = 0; // counts what is followed
let unfollow: (() => Promise<void>) | undefined;

const slots = new Map<string, number>();
const ids: (string | undefined)[] = [];
const free: number[] = [];
const payloads: (Uint8Array | undefined)[] = []; // the last message of each slot, once read undefined
const sources: (Uint8Array | undefined)[] = [];
const changed = new Set<number>();
const gone = new Set<number>();
const named = new Set<number>();
const seen = new Set<number>(); // in the snapshot that comes after a connection was lost
const candidates = new Map<string, number>();
let sampled = 0;
let field: string | undefined;
let chosen = false;
let path: string[] = [];
let synced = false;
let messages = 0;
let watched = -1;
let watchedChanged = false;
let wanted = false;
let timer: ReturnType<typeof setTimeout> | undefined;

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  switch (data.type) {
    case "open":
      secret = data.secret;
      connection = open(data.url, data.user);
      break;
    case "secret":
      secret = data.secret;
      break;
    case "follow":
      void follow(data.source);
      break;
    case "field":
      field = data.field;
      chosen = true;
      path = field.split(".");
      for (const slot of slots.values()) changed.add(slot);
      soon();
      break;
    case "next":
      wanted = true;
      if (changed.size + gone.size > 0 || watchedChanged) soon();
      break;
    case "watch":
      watched = data.slot;
      watchedChanged = true;
      soon();
      break;
  }
};

async function open(url: string, user: string | undefined): Promise<Connection> {
  const c = await Connection.open(url, {
    ...(secret !== undefined && { username: user ?? "", password: () => secret ?? "" }),
    clientId: `console-map-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`,
    mqtt: { timerVariant: "native", keepalive: 45 },
  });
  c.on("connect", () => post({ type: "state", online: true }));
  c.on("disconnect", () => {
    synced = false;
    seen.clear();
    post({ type: "state", online: false });
  });
  return c;
}

async function follow(source: Source): Promise<void> {
  const mine = ++turn;
  await unfollow?.();
  unfollow = undefined;
  clear();
  try {
    const c = await connection!;
    // The name of the room is short, whatever the filter: it is in the topic of every message.
    const { roomId } = await c.request<{ roomId: string }>({ controller: "realtime", action: "subscribe", index: source.index, collection: source.collection, body: JSON.parse(source.filter) });
    const target = source.filter.length > 60 ? `~${roomId}` : `?${JSON.stringify(JSON.parse(source.filter)).replace(/[+#]/g, (c) => (c === "+" ? "\\u002b" : "\\u0023"))}`;
    const prefix = `$scope/${source.index}/${source.collection}/${target}/`;
    if (mine !== turn) return;
    const off = await c.follow(`${prefix}+`, (payload, topic) => mine === turn && receive(topic.slice(prefix.length), payload), 0);
    if (mine === turn) unfollow = off;
    else await off();
  } catch (e) {
    if (mine === turn) post({ type: "refused", why: e instanceof Error ? e.message : String(e) });
  }
}

function clear(): void {
  for (const slot of slots.values()) gone.add(slot);
  slots.clear();
  for (const slot of gone) release(slot);
  candidates.clear();
  sampled = 0;
  synced = false;
  seen.clear();
  if (!chosen) field = undefined;
  chosen = false;
  soon();
}

function release(slot: number): void {
  ids[slot] = payloads[slot] = sources[slot] = undefined;
  changed.delete(slot);
  named.delete(slot);
}

function receive(id: string, payload: Uint8Array): void {
  if (id === "$synced") {
    sync();
    return;
  }
  messages++;
  let slot = slots.get(id);
  if (payload.length === 0) {
    if (slot !== undefined) forget(id, slot);
    return;
  }
  if (slot === undefined) {
    slot = free.pop() ?? ids.length;
    ids[slot] = id;
    slots.set(id, slot);
    named.add(slot);
  }
  payloads[slot] = new Uint8Array(payload); // a copy: else it holds all of what came with it
  changed.add(slot);
  if (!synced) seen.add(slot);
  if (slot === watched) watchedChanged = true;
  soon();
}

function forget(id: string, slot: number): void {
  slots.delete(id);
  release(slot);
  gone.add(slot);
  soon();
}

/** The snapshot is complete: what was not in it is not there any more. */
function sync(): void {
  for (const [id, slot] of [...slots]) if (!seen.has(slot)) forget(id, slot);
  seen.clear();
  synced = true;
  soon();
}

/** Sends a frame in a moment, if the page waits for one. */
function soon(): void {
  if (!wanted || timer !== undefined) return;
  timer = setTimeout(() => {
    timer = undefined;
    if (wanted) send();
  }, 12);
}

const decoder = new TextDecoder();

function read(slot: number): unknown {
  const bytes = payloads[slot] ?? sources[slot];
  if (!bytes) return undefined;
  sources[slot] = bytes;
  payloads[slot] = undefined;
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined; // what a scope tells is a document
  }
}

const samples = 200;

function sample(document: unknown): void {
  if (sampled >= samples) return;
  sampled++;
  for (const name of pointFields(document)) candidates.set(name, (candidates.get(name) ?? 0) + 1);
}

function send(): void {
  wanted = false;
  const documents = new Map<number, unknown>();
  if (sampled < samples) {
    for (const slot of changed) {
      const document = read(slot);
      documents.set(slot, document);
      sample(document);
    }
  }
  const fields = [...candidates].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  if (field === undefined && fields[0] !== undefined) {
    field = fields[0];
    path = field.split(".");
    for (const slot of slots.values()) changed.add(slot);
  }
  const list = new Uint32Array(changed.size);
  const places = new Float64Array(2 * changed.size);
  let n = 0;
  for (const slot of changed) {
    const at = field === undefined ? undefined : readPoint(valueAt(documents.get(slot) ?? read(slot), path));
    list[n] = slot;
    places[2 * n] = at ? mercatorX(at.lon) : NaN;
    places[2 * n + 1] = at ? mercatorY(at.lat) : NaN;
    n++;
  }
  const left = new Uint32Array(gone);
  const frame: FromWorker = {
    type: "frame",
    named: [...named].map((slot) => ({ slot, id: ids[slot]! })),
    slots: list,
    places,
    gone: left,
    documents: slots.size,
    messages,
    synced,
    fields,
    field,
    watched: watchedChanged ? { slot: watched, source: watched >= 0 ? read(watched) : undefined } : undefined,
  };
  for (const slot of left) if (ids[slot] === undefined) free.push(slot);
  named.clear();
  changed.clear();
  gone.clear();
  messages = 0;
  watchedChanged = false;
  post(frame, [list.buffer, places.buffer, left.buffer]);
}
