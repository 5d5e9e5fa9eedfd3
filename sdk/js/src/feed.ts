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
  #closed = false;
  #unsubscribe: (() => Promise<void>) | undefined;
  /** How often the connection was made: what an earlier one still brings is not counted. */
  #life = 0;
  /** The change up to which a gap goes. What comes before it is in no order, so that #seq stays. */
  #gap = 0;

  constructor(
    readonly channel: string,
    /** The change up to which everything was told. */
    private seq: number,
    private readonly subscribe: Subscribe,
  ) {}

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
    this.#ready = this.subscribe(`${this.channel}&since=${this.seq}`, to).then(
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
  #closed = false;
  #unsubscribe: (() => Promise<void>) | undefined;
  /** How often the connection was made: what an earlier one still brings is not counted. */
  #life = 0;
  /** The change up to which a gap goes. What comes before it is in no order, so that #seq stays. */
  #gap = 0;

  constructor(
    readonly channel: string,
    /** The change up to which everything was told. */
    private seq: number,
    private readonly subscribe: Subscribe,
  ) {}

  /** Resolves when the listener will be told of every change. */
  async add(listener: Listener, online: () => Promise<void>): Promise<void> {
    this.#listeners.add(listener);
    while (this.#listeners.has(listener)) {
      try {
        this.#ready ??= this.open();
        await this.#ready;
        if (this.#ready) return;
      } catch (e) {
        if (!isLost(e)) throw e;
      }
      await online();
    }
  }

  /** Says whether nobody is left. */
  remove(listener: Listener): boolean {
    return this.#listeners.delete(listener) && this.#listeners.size === 0;
  }

  /** Subscribes on the connection that there is now. */
  open(): Promise<void> {
    const life = ++this.#life;
    const subscribed = this.subscribe(`${this.channel}&since=${this.seq}`, (payload) => {
      if (life === this.#life) this.#receive(payload);
    }).then(
      (unsubscribe) => {
        if (life === this.#life) this.#unsubscribe = unsubscribe;
        else void unsubscribe();
      },
      (e) => {
        if (life !== this.#life || isLost(e)) return; // the next connection tries again
        throw e;
      },
    );
    this.#ready = subscribed;
    return subscribed;
  }

  /** The connection has gone. */
  lost(): void {
    this.#life++;
    this.#ready = undefined;
    this.#unsubscribe = undefined;
  }

  async close(): Promise<void> {
    const unsubscribe = this.#unsubscribe;
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
    } else if (n.type === "document" && n.seq !== undefined && n.seq > Math.max(this.seq, this.#gap)) {
      this.seq = n.seq;
    }
    for (const listener of [...this.#listeners]) guarded(() => listener.notify(n));
  }
}
