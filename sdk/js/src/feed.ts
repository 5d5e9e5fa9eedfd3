import { guarded } from "./emitter.js";
import { type AmbitError, isLost } from "./error.js";
import type { Notification } from "./types.js";

/** Who is told what a room tells. */
export interface Listener {
  notify(n: Notification<never>): void;
  /** The room tells nothing any more. */
  fail(e: AmbitError): void;
}

type Subscribe = (topic: string, to: (payload: Uint8Array) => void) => Promise<() => Promise<void>>;

/**
 * One subscription to a room, for all who listen to it. It knows where it stands in the sequence of changes, and
 * goes on from there after a lost connection.
 */
export class Feed {
  readonly #listeners = new Set<Listener>();
  #ready: Promise<boolean> | undefined;
  #unsubscribe: (() => Promise<void>) | undefined;
  #closed = false;
  /** Tells one connection from the next: what an earlier one still brings does not count. */
  #life = 0;
  /** The change up to which a gap goes. What is told up to there is in no order, and does not move #seq. */
  #gap = 0;
  #seq: number;

  /** seq is the change up to which everything is known; with it the prefix is the topic filter. */
  constructor(
    private readonly prefix: string,
    seq: number,
    private readonly subscribe: Subscribe,
  ) {
    this.#seq = seq;
  }

  /** Resolves when the listener will be told of every change. */
  async add(listener: Listener, online: () => Promise<void>): Promise<void> {
    this.#listeners.add(listener);
    while (this.#listeners.has(listener)) {
      await online();
      this.#ready ??= this.open();
      if (await this.#ready) return;
    }
  }

  /** Says whether nobody is left. */
  remove(listener: Listener): boolean {
    return this.#listeners.delete(listener) && this.#listeners.size === 0;
  }

  /** Subscribes on the connection that there is now, and says whether it lasted until that was answered. */
  open(): Promise<boolean> {
    const life = ++this.#life;
    const to = (payload: Uint8Array) => {
      if (life === this.#life) this.#receive(payload);
    };
    this.#ready = this.subscribe(`${this.prefix}${this.#seq}`, to).then(
      (unsubscribe) => {
        if (life === this.#life) this.#unsubscribe = unsubscribe;
        else if (this.#closed) void unsubscribe();
        return life === this.#life;
      },
      (e) => {
        if (life === this.#life && !isLost(e)) throw e;
        return false;
      },
    );
    return this.#ready;
  }

  /** The connection has gone. */
  lost(): void {
    this.#life++;
    this.#ready = undefined;
    this.#unsubscribe = undefined;
  }

  async close(): Promise<void> {
    const unsubscribe = this.#unsubscribe;
    this.#closed = true;
    this.lost();
    await unsubscribe?.();
  }

  fail(e: AmbitError): void {
    for (const listener of [...this.#listeners]) guarded(() => listener.fail(e));
  }

  #receive(payload: Uint8Array): void {
    const n = JSON.parse(new TextDecoder().decode(payload)) as Notification<never>;
    if (n.type === "gap") {
      this.#gap = n.to;
    } else if (n.type === "document" && n.seq !== undefined && n.seq > Math.max(this.#seq, this.#gap)) {
      this.#seq = n.seq;
    }
    for (const listener of [...this.#listeners]) guarded(() => listener.notify(n));
  }
}
