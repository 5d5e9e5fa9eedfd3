// Follows the documents of a collection on a connection of its own, beside the page, so that the page has time to draw
// whatever comes.
import { Connection } from "@ambit/client";

import { inTopic } from "../../topic.js";
import type { FromWorker, Source, ToWorker } from "./messages.js";
import { Places } from "./places.js";
import { tappedSocket } from "./split.js";

const post = (message: FromWorker, transfer: Transferable[] = []) => (self as unknown as Worker).postMessage(message, transfer);

let secret: string | undefined;
let connection: Promise<Connection> | undefined;
let unwatch: (() => Promise<void>) | undefined;
let prefix = ""; // of the topics of what is followed
let prefixBytes = new Uint8Array();
const places = new Places();
let wanted = false;
let spare: Float64Array<ArrayBuffer> | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  switch (data.type) {
    case "open":
      secret = data.secret;
      if (data.field !== undefined) places.setField(data.field);
      connection = open(data.url, data.user);
      void follow(data.source);
      break;
    case "secret":
      secret = data.secret;
      break;
    case "field":
      places.setField(data.field);
      void again();
      break;
    case "next":
      wanted = true;
      spare = data.spare;
      offer();
      break;
    case "watch":
      void watch(data.slot);
      break;
  }
};

async function open(url: string, user: string | undefined): Promise<Connection> {
  const c = await Connection.open(url, {
    version: 4, // messages have no properties, which are as long as a position
    ...(secret !== undefined && { username: user ?? "", password: () => secret ?? "" }),
    clientId: `console-map-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`,
    mqtt: {
      timerVariant: "native",
      keepalive: 45,
      createWebsocket(url: string, protocols: string[]) {
        places.again(); // what is subscribed to is told from its beginning on another connection
        return tappedSocket(url, protocols, take, offer);
      },
    },
  });
  c.on("connect", () => post({ type: "state", online: true }));
  c.on("disconnect", () => post({ type: "state", online: false }));
  return c;
}

async function follow({ index, collection, filter }: Source): Promise<void> {
  try {
    const c = await connection!;
    const body = JSON.parse(filter);
    // The name of the room is short, whatever the filter: it is in the topic of every message.
    const { roomId } = await c.request<{ roomId: string }>({ controller: "realtime", action: "subscribe", index, collection, body });
    prefix = `$scope/${index}/${collection}/${filter.length > 60 ? `~${roomId}` : `?${inTopic(body)}`}/`;
    prefixBytes = new TextEncoder().encode(prefix);
    await again();
  } catch (e) {
    post({ type: "refused", why: e instanceof Error ? e.message : String(e) });
  }
}

/** Subscribes, so that everything is told, from the beginning. */
async function again(): Promise<void> {
  if (prefix === "") return;
  const c = await connection!;
  places.again();
  await c.follow(`${prefix}+`, () => undefined, 0);
}

/** Has what a document is be told, now and when it changes. */
async function watch(slot: number): Promise<void> {
  places.watch(slot);
  await unwatch?.();
  unwatch = undefined;
  const id = places.idOf(slot);
  if (id !== undefined) unwatch = await (await connection!).follow(prefix + id, () => undefined, 0);
}

const decoder = new TextDecoder();
const synced = "$synced";

/** Takes a message of what is followed. */
function take(bytes: Uint8Array, topic: number, payload: number, end: number): boolean {
  if (!begins(bytes, topic, payload)) return false;
  const id = textAt(bytes, topic + prefixBytes.length, payload);
  if (id === synced) places.sync();
  else if (payload === end) places.remove(id);
  else places.put(id, bytes, payload, end);
  return true;
}

function begins(bytes: Uint8Array, from: number, to: number): boolean {
  if (prefix === "" || to - from <= prefixBytes.length) return false;
  for (let i = prefixBytes.length - 1; i >= 0; i--) if (bytes[from + i] !== prefixBytes[i]) return false;
  return true;
}

/** A text that is short, and mostly of ASCII. */
function textAt(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let i = from; i < to; i++) {
    const c = bytes[i]!;
    if (c >= 0x80) return decoder.decode(bytes.subarray(from, to));
    text += String.fromCharCode(c);
  }
  return text;
}

/** Sends a frame if the page waits for one, and there is something to tell. */
function offer(): void {
  if (!wanted || timer !== undefined || !places.isChanged) return;
  if (places.field !== undefined) return send();
  timer = setTimeout(() => { // which field is the position is better known of some documents than of the first
    timer = undefined;
    if (wanted) send();
  }, 12);
}

function send(): void {
  wanted = false;
  const frame = places.frame(spare);
  spare = undefined;
  post({ type: "frame", ...frame }, [frame.places.buffer]);
}
