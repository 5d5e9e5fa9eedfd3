import type { Connection } from "./connection.js";
import type { AmbitError } from "./error.js";
import type { Filter, Notification, Source, Transition } from "./types.js";

export interface Channel {
  roomId: string;
  channel: string;
  seq: number;
}

export interface SubscribeOptions {
  /** Whether to be told of documents in scope, of those that leave it, or of all: the default. */
  scope?: "all" | "in" | "out";
  /** Who is told of: those who come, those who go, all, or none: the default. */
  users?: "none" | "all" | "in" | "out";
  /** Which of enter, stay and exit to be told. */
  transitions?: Transition[];
  /** Tells first what came after the notification with that seq. */
  since?: number;
  /** Is called when the room tells nothing any more. */
  onError?: (e: AmbitError) => void;
}

export interface Subscription {
  readonly roomId: string;
  unsubscribe(): Promise<void>;
}

/** Why a filter, or a part of it, holds for a document or does not. */
export interface Explanation {
  holds: boolean;
  clause?: Filter;
  value?: unknown;
  [combination: string]: unknown;
}

/** Rooms, and messages that are stored nowhere. */
export class RealtimeController {
  constructor(private readonly connection: Connection) {}

  /**
   * Calls back with what happens to the documents that match a filter. After a lost connection what was missed comes
   * first; a notification of type "gap" says that it cannot.
   */
  async subscribe<T extends object = Source>(
    index: string,
    collection: string,
    filter: Filter,
    callback: (n: Notification<T>) => void,
    options: SubscribeOptions = {},
  ): Promise<Subscription> {
    const { scope = "all", users = "none", transitions, since, onError } = options;
    const room = await this.#ask<Channel>("subscribe", { index, collection, body: filter, scope, users, seq: true });
    const after = since ?? room.seq;
    const unsubscribe = await this.connection.listen(
      transitions ? `${room.channel}&transition=${transitions.join(",")}` : room.channel,
      after,
      {
        notify: (n) => {
          if (!("seq" in n) || (n as { seq: number }).seq > after) callback(n);
        },
        fail: (e) => onError?.(e),
      },
      since !== undefined,
    );
    return { roomId: room.roomId, unsubscribe };
  }

  /** Tells the rooms of a collection of a message that is stored nowhere. */
  async publish(index: string, collection: string, body: object, options: { _id?: string; volatile?: Source } = {}): Promise<void> {
    await this.#ask("publish", { index, collection, body, ...options });
  }

  /** How many are in a room. */
  async count(roomId: string): Promise<number> {
    return (await this.#ask<{ count: number }>("count", { body: { roomId } })).count;
  }

  /** How many are in each room, by index, collection and room. */
  list(): Promise<Record<string, Record<string, Record<string, number>>>> {
    return this.#ask("list", {});
  }

  /** Whether a filter can be read, which room it is, and its canonical form. */
  validate(index: string, collection: string, filter: Filter): Promise<{ valid: boolean; roomId?: string; filter?: Filter; errorMessages?: string[] }> {
    return this.#ask("validate", { index, collection, body: filter });
  }

  /** Why a document, or the one that is stored under an id, is in the scope of a filter or is not. */
  explain(index: string, collection: string, query: Filter, document: string | object): Promise<{ matches: boolean; roomId: string; explain: Explanation }> {
    const subject = typeof document === "string" ? { _id: document, body: { query } } : { body: { query, document } };
    return this.#ask("explain", { index, collection, ...subject });
  }

  #ask<R>(action: string, args: object): Promise<R> {
    return this.connection.request<R>({ controller: "realtime", action, ...args });
  }
}
