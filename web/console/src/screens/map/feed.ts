// The documents of a collection, as the page knows them: where each is, frame by frame.
import { mqttURL } from "../../broker.js";
import type { Session } from "../../session.js";
import type { FromWorker, Source, ToWorker } from "./messages.js";

export interface FeedEvents {
  /** Something has moved, come or gone. */
  frame(info: FrameInfo): void;
  /** The document that is watched is another one, or gone (undefined). */
  watched(slot: number, source: unknown): void;
  refused(why: string): void;
  state(online: boolean): void;
}

export interface FrameInfo {
  documents: number;
  messages: number;
  synced: boolean;
  fields: string[];
  field: string | undefined;
}

/** Where documents are, by slot: x is NaN of a slot that is free or has no position. */
export class Feed {
  readonly slotOf = new Map<string, number>();
  ids: (string | undefined)[] = [];
  x = new Float64Array(1024).fill(NaN);
  y = new Float64Array(1024).fill(NaN);
  /** How many slots there are. */
  length = 0;
  /** Whose id a slot has now is told here, before the frame. */
  onNamed: ((slot: number, id: string) => void) | undefined;

  readonly #worker: Worker;
  #spare: Float64Array<ArrayBuffer> | undefined; // of the last frame

  constructor(
    session: Session,
    source: Source,
    /** Which field is the position; undefined is one that is found. */
    field: string | undefined,
    private readonly events: FeedEvents,
  ) {
    this.#worker = new Worker(import.meta.env.DEV ? "/src/screens/map/feed.worker.ts" : "/assets/feed.js", { type: "module", name: "map" });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    this.#worker.onerror = (e) => events.refused(e.message || "The map could not be started.");
    this.#post({ type: "open", url: mqttURL(), user: session.who.user, secret: session.secret.value, source, field });
  }

  setField(field: string): void {
    this.#post({ type: "field", field });
  }

  setSecret(secret: string | undefined): void {
    this.#post({ type: "secret", secret });
  }

  watch(slot: number): void {
    this.#post({ type: "watch", slot });
  }

  /** Asks for what has happened since the last frame. */
  next(): void {
    this.#post({ type: "next", spare: this.#spare }, this.#spare && [this.#spare.buffer]);
    this.#spare = undefined;
  }

  close(): void {
    this.#worker.terminate();
  }

  #post(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case "state":
        this.events.state(message.online);
        return;
      case "refused":
        this.events.refused(message.why);
        return;
      case "frame":
        this.#apply(message);
    }
  }

  #apply(frame: FromWorker & { type: "frame" }): void {
    for (const slot of frame.gone) {
      const id = this.ids[slot];
      if (id !== undefined && this.slotOf.get(id) === slot) this.slotOf.delete(id);
      this.ids[slot] = undefined;
      this.x[slot] = NaN;
    }
    for (const { slot, id } of frame.named) {
      this.#grow(slot);
      this.ids[slot] = id;
      this.slotOf.set(id, slot);
      this.onNamed?.(slot, id);
    }
    const { places } = frame;
    for (let i = 0; i < 3 * frame.moved; i += 3) {
      this.x[places[i]!] = places[i + 1]!;
      this.y[places[i]!] = places[i + 2]!;
    }
    this.#spare = places;
    const { documents, messages, synced, fields, field } = frame;
    this.events.frame({ documents, messages, synced, fields, field });
    if (frame.watched) this.events.watched(frame.watched.slot, frame.watched.source);
  }

  #grow(slot: number): void {
    this.length = Math.max(this.length, slot + 1);
    if (slot < this.x.length) return;
    const size = 2 * slot;
    for (const axis of ["x", "y"] as const) {
      const longer = new Float64Array(size).fill(NaN);
      longer.set(this[axis]);
      this[axis] = longer;
    }
  }
}
