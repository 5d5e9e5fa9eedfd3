import { type Connection, text } from "./connection.js";
import type { Member, Source } from "./types.js";

/** What is told in a channel: of its members (join, leave, update), or by one of them. */
export interface ChannelEvent<M = unknown> {
  type: "channel";
  channel: string | null;
  event: string;
  /** Of events of one's own. */
  message?: M;
  from?: { clientId: string | null; user: string | null };
  /** Of join, leave and update. */
  member?: Member;
  why?: string;
  requestId?: string | null;
  volatile?: Source | null;
  timestamp: number;
  node: string;
}

interface EchoOption {
  /** Whether this client is told what it causes itself; it is by default. */
  echo?: boolean;
}

/** Channels, in which clients tell each other what they like. */
export class ChannelController {
  readonly #joined = new Map<string, { body: Source; echo: boolean }>();
  #again: (() => void) | undefined;

  constructor(private readonly connection: Connection) {}

  /** Makes this client a member, also when the connection is made again. */
  async join(channel: string, metadata: Source = {}, options: EchoOption = {}): Promise<{ count: number }> {
    const member = { body: metadata, echo: options.echo ?? true };
    const answer = await this.#ask<{ count: number }>("join", { channel, ...member });
    this.#joined.set(channel, member);
    this.#again ??= this.connection.again(() => Promise.all([...this.#joined].map(([name, as]) => this.#ask("join", { channel: name, ...as }))));
    return answer;
  }

  async leave(channel: string): Promise<void> {
    this.#joined.delete(channel);
    await this.#ask("leave", { channel });
  }

  /** Says something else of this client, in one channel or in all. */
  async update(metadata: Source, channel?: string): Promise<void> {
    await this.#ask("update", { channel, body: metadata });
    for (const [name, member] of this.#joined) {
      if (channel === undefined || name === channel) member.body = metadata;
    }
  }

  /** Tells whoever listens to a channel. */
  async send(channel: string, event: string, message: unknown, options: EchoOption & { volatile?: Source } = {}): Promise<void> {
    await this.#ask("send", { channel, event, body: message, ...options });
  }

  /** Tells whoever listens to every channel (`*`). */
  async broadcast(event: string, message: unknown, options: EchoOption & { volatile?: Source } = {}): Promise<void> {
    await this.#ask("broadcast", { event, body: message, ...options });
  }

  members(channel: string, options: { from?: number; size?: number } = {}): Promise<{ count: number; members: Member[] }> {
    return this.#ask("members", { channel, ...options });
  }

  /** Calls back with what is told in a channel: one event, or all. */
  listen<M = unknown>(channel: string, callback: (e: ChannelEvent<M>) => void, event = "+"): Promise<() => Promise<void>> {
    return this.connection.follow(`$channel/${channel}/${event}`, (payload) => callback(JSON.parse(text(payload)) as ChannelEvent<M>));
  }

  #ask<R>(action: string, args: object): Promise<R> {
    return this.connection.request<R>({ controller: "channel", action, ...args });
  }
}
