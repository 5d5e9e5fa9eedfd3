// The messages that were told, the newest first, within bounds.
import type { Notification } from "@ambit/client";

export interface Entry {
  n: number;
  at: number;
  topic: string;
  /** The topic filter that was subscribed to. */
  by: string;
  text: string;
  /** How long the payload was; the text is cut. */
  bytes: number;
  kind: Kind;
  /** Of a notification. */
  notification: Notification | undefined;
}

export type Kind = "enter" | "stay" | "exit" | "user" | "gap" | "publish" | "message";

export const mostEntries = 2000;
export const mostCharacters = 8 << 20;
const longest = 256 << 10; // of a text; what is longer is cut

const decoder = new TextDecoder();

export class Log {
  /** How many came, those that are gone among them. */
  received = 0;
  #entries: Entry[] = []; // the oldest first
  #first = 0; // where they begin
  #characters = 0;

  add(by: string, topic: string, payload: Uint8Array): void {
    const text = decoder.decode(payload.subarray(0, longest));
    const notification = payload.length <= longest ? read(text) : undefined;
    this.#entries.push({ n: ++this.received, at: Date.now(), topic, by, text, bytes: payload.length, kind: kindOf(notification), notification });
    this.#characters += text.length + topic.length;
    while (this.size > mostEntries || this.#characters > mostCharacters) this.#drop();
  }

  get size(): number {
    return this.#entries.length - this.#first;
  }

  clear(): void {
    this.#entries = [];
    this.#first = this.#characters = 0;
  }

  /** The newest entries that pass, up to a number; and how many pass. */
  find(passes: (e: Entry) => boolean, most: number, upTo = Infinity): { shown: Entry[]; found: number } {
    const shown: Entry[] = [];
    let found = 0;
    for (let i = this.#entries.length - 1; i >= this.#first; i--) {
      const entry = this.#entries[i]!;
      if (entry.n > upTo || !passes(entry)) continue;
      if (found++ < most) shown.push(entry);
    }
    return { shown, found };
  }

  #drop(): void {
    const entry = this.#entries[this.#first++];
    if (!entry) return;
    this.#characters -= entry.text.length + entry.topic.length;
    if (this.#first > mostEntries) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }
}

function read(text: string): Notification | undefined {
  if (!text.startsWith('{"type":"')) return undefined;
  try {
    const n = JSON.parse(text) as Notification;
    return ["document", "user", "gap"].includes(n.type) && "room" in n ? n : undefined;
  } catch {
    return undefined; // it only looks like one
  }
}

function kindOf(n: Notification | undefined): Kind {
  if (!n) return "message";
  if (n.type !== "document") return n.type;
  return n.transition ?? "publish";
}
