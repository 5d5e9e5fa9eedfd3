import { type Connection, text } from "./connection.js";
import type { Member, Source } from "./types.js";

/** Whether a client is there, or since when and why not. */
export interface Standing extends Omit<Member, "clientId"> {
  online: boolean;
  why?: string;
}

/** Who is there. */
export class PresenceController {
  #metadata: Source | undefined;
  #again: (() => void) | undefined;

  constructor(private readonly connection: Connection) {}

  /** Says something of this client, also when the connection is made again. */
  async update(metadata: Source): Promise<void> {
    await this.#update(metadata);
    this.#metadata = metadata;
    this.#again ??= this.connection.again(() => this.#update(this.#metadata));
  }

  #update(metadata: Source | undefined): Promise<unknown> {
    return this.connection.request({ controller: "presence", action: "update", body: metadata });
  }

  get(clientId: string): Promise<Standing & { clientId: string }> {
    return this.connection.request({ controller: "presence", action: "get", _id: clientId });
  }

  /** Who is in a room, as they came. */
  list(roomId: string, options: { from?: number; size?: number } = {}): Promise<{ count: number; members: Member[] }> {
    return this.connection.request({ controller: "presence", action: "list", body: { roomId }, ...options });
  }

  /** Calls back with who is in a room (named by its id, or `?` and a filter), now and with every change. */
  room(index: string, collection: string, room: string, callback: (room: { count: number; members: Member[]; truncated?: boolean }) => void): Promise<() => Promise<void>> {
    const named = /^[?~@]/.test(room) ? room : `~${room}`;
    return this.connection.follow(`$presence/rooms/${index}/${collection}/${named}`, (payload) => callback(JSON.parse(text(payload))));
  }

  /** Calls back with how a client stands, or every client (`+`), now and with every change. */
  watch(clientId: string, callback: (clientId: string, standing: Standing) => void): Promise<() => Promise<void>> {
    const prefix = "$presence/clients/";
    return this.connection.follow(prefix + clientId, (payload, topic) => {
      if (payload.length > 0) callback(topic.slice(prefix.length), JSON.parse(text(payload)) as Standing);
    });
  }
}
