// Who is in the scope of a filter, by the broker's word: a search, and what enters and leaves after it.
import type { Ambit, Filter, Notification, Subscription } from "@ambit/client";

export interface ScopeEvent {
  transition: "enter" | "exit";
  id: string;
  at: number;
}

export interface ScopeEvents {
  /** A document has come into the scope, or has left it; event is undefined for those that were found. */
  member(id: string, isIn: boolean, event: ScopeEvent | undefined): void;
  error(e: Error): void;
}

const pageSize = 1000;
const most = 10_000;

export class Scope {
  readonly members = new Set<string>();
  /** Whether there are more members than are known one by one. */
  partial = false;
  #subscription: Subscription | undefined;
  #held: Notification[] | undefined = [];
  #over = false;

  constructor(
    private readonly ambit: Ambit,
    private readonly index: string,
    private readonly collection: string,
    readonly filter: Filter,
    private readonly events: ScopeEvents,
  ) {}

  async start(): Promise<void> {
    try {
      this.#subscription = await this.ambit.realtime.subscribe(this.index, this.collection, this.filter, (n) => this.#notify(n), {
        transitions: ["enter", "exit"],
        onError: (e) => this.events.error(e),
      });
      if (this.#over) return await this.stop();
      await this.#read();
    } catch (e) {
      if (!this.#over) this.events.error(e as Error);
    }
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#subscription?.unsubscribe().catch(() => undefined); // it ended with the connection
  }

  /** Reads who is in it, while what is told meanwhile is held. */
  async #read(): Promise<void> {
    this.#held = [];
    const before = new Set(this.members);
    let cursor: string | undefined;
    let seq: number | undefined;
    do {
      const page = await this.ambit.document.search(this.index, this.collection, { query: this.filter }, { size: pageSize, seq: true, ...(cursor !== undefined && { cursor }) });
      if (this.#over) return;
      seq ??= page.seq;
      for (const { _id } of page.hits) {
        before.delete(_id);
        this.#set(_id, true, undefined);
      }
      cursor = page.cursor;
    } while (cursor !== undefined && this.members.size < most);
    this.partial = cursor !== undefined;
    for (const id of before) this.#set(id, false, undefined);
    const held = this.#held;
    this.#held = undefined;
    for (const n of held) if (!("seq" in n) || (n.seq ?? 0) > (seq ?? 0)) this.#apply(n);
  }

  #notify(n: Notification): void {
    if (this.#held) this.#held.push(n);
    else this.#apply(n);
  }

  #apply(n: Notification): void {
    if (n.type === "gap") {
      void this.#read().catch((e: Error) => this.#over || this.events.error(e));
      return;
    }
    if (n.type !== "document" || n.result._id === undefined || (n.transition !== "enter" && n.transition !== "exit")) return;
    this.#set(n.result._id, n.transition === "enter", { transition: n.transition, id: n.result._id, at: n.timestamp });
  }

  #set(id: string, isIn: boolean, event: ScopeEvent | undefined): void {
    if (this.members.has(id) === isIn) return;
    isIn ? this.members.add(id) : this.members.delete(id);
    this.events.member(id, isIn, event);
  }
}
