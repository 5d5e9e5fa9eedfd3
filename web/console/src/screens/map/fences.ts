// The fences of the map: the rooms of the collection with an area, whether they have a name or somebody else is in them, and
// what was drawn. Of each that is shown it is known who is in its scope, and what has entered and left.
import type { Ambit, Filter } from "@ambit/client";

import { Store } from "../../store.js";
import { color } from "../../theme.js";
import { roomTopic } from "../../topic.js";
import { type Outline, outlines } from "./fence.js";
import { Scope, type ScopeEvent } from "./scope.js";

export interface FenceState {
  key: string;
  /** The name of the room, with its @, the beginning of its id, or the name of what was drawn. */
  name: string;
  kind: "named" | "open" | "drawn";
  /** Its topic filter. */
  topic: string;
  filter: Filter;
  roomId: string;
  outlines: Outline[];
  /** Which of the colours it has. */
  hue: number;
  shown: boolean;
  members: number;
  partial: boolean;
  events: ScopeEvent[];
  error: Error | undefined;
}

export const hues = 6;
export const hueOf = (hue: number) => color(`--hue-${hue + 1}`);

const eventsKept = 100;
const shownAtFirst = hues;

interface Named {
  name: string;
  filter: Filter;
  channel: string;
}

interface Open {
  roomId: string;
  /** Null is one that is not told to us. */
  filter: Filter | null;
  members: number;
}

const openAsked = 500;
const openShown = 30; // of those without a name
const consoles = 10; // of as many members each may be one

export class Fences {
  readonly states = new Store<FenceState[]>([]);
  readonly #scopes = new Map<string, Scope>();
  #drawn = 0;
  #hidden = new Set<string>();
  #due = false;
  #source: string | undefined; // the room of the map's filter

  constructor(
    private readonly ambit: Ambit,
    private readonly index: string,
    private readonly collection: string,
    /** The filter of the map: its own room is no fence. */
    filter: string,
    /** Documents have other fences now: one by its id, or all. */
    private readonly onTint: (id: string | undefined) => void,
  ) {
    void this.#readSource(filter).catch(() => undefined); // the map says what is wrong with it
  }

  async #readSource(filter: string): Promise<void> {
    const { roomId } = await this.ambit.realtime.validate(this.index, this.collection, JSON.parse(filter) as Filter);
    this.#source = roomId;
  }

  close(): void {
    for (const scope of this.#scopes.values()) void scope.stop();
    this.#scopes.clear();
  }

  /** Reads the rooms of the collection again: a name may have another filter, or be gone, and others come in and leave. */
  async readRooms(): Promise<void> {
    const of = { index: this.index, collection: this.collection };
    const [{ rooms }, { hits }] = await Promise.all([
      this.ambit.connection.request<{ rooms: Named[] }>({ controller: "room", action: "list", ...of }).catch(() => ({ rooms: [] })), // who may not
      this.ambit.connection.request<{ hits: Open[] }>({ controller: "room", action: "listOpen", ...of, size: openAsked }).catch(() => ({ hits: [] })), // sees none
    ]);
    const before = new Map(this.states.value.filter((f) => f.kind !== "drawn").map((f) => [f.key, f]));
    for (const { name, filter, channel } of rooms) {
      const key = `@${name} ${JSON.stringify(filter)}`;
      if (!before.delete(key)) await this.#add(key, `@${name}`, "named", filter, channel);
    }
    for (const { roomId, filter } of await this.#others(hits)) {
      const key = `~${roomId}`;
      if (!before.delete(key)) await this.#add(key, `~${roomId.slice(0, 8)}`, "open", filter!, `${this.index}/${this.collection}/~${roomId}`);
    }
    for (const key of before.keys()) this.remove(key);
  }

  /** The rooms with an area that are not there by a name or as drawn, and that somebody is in who is no console: two of them would keep each other's. */
  async #others(open: Open[]): Promise<Open[]> {
    const known = new Set(this.states.value.filter((f) => f.kind !== "open").map((f) => f.roomId));
    const found = open.filter(({ roomId, filter }) => filter !== null && roomId !== this.#source && !known.has(roomId) && outlines(filter).length > 0).slice(0, openShown);
    const isIn = await Promise.all(
      found.map(async ({ roomId, members }) => {
        if (members > consoles) return true;
        const list = await this.ambit.presence.list(roomId, { size: consoles }).catch(() => undefined); // who may not ask sees all
        return !list || list.members.some((m) => !m.clientId.startsWith("console-"));
      }),
    );
    return found.filter((_, i) => isIn[i]);
  }

  /** Adds what was drawn, and returns its key. */
  async addDrawn(filter: Filter): Promise<string> {
    const key = `drawn ${++this.#drawn}`;
    await this.#add(key, `Fence ${this.#drawn}`, "drawn", filter, roomTopic(this.index, this.collection, filter));
    return key;
  }

  async #add(key: string, name: string, kind: FenceState["kind"], filter: Filter, topic: string): Promise<void> {
    const { filter: canonical, roomId = "" } = await this.ambit.realtime.validate(this.index, this.collection, filter);
    if (this.states.value.some((f) => f.key === key)) return; // it was read twice at a time
    const used = new Map<number, number>();
    for (const f of this.states.value) used.set(f.hue, (used.get(f.hue) ?? 0) + 1);
    const hue = Array.from({ length: hues }, (_, i) => i).sort((a, b) => (used.get(a) ?? 0) - (used.get(b) ?? 0))[0]!;
    const shown = kind === "drawn" || (!this.#hidden.has(name) && this.states.value.filter((f) => f.kind !== "drawn" && f.shown).length < shownAtFirst);
    const state: FenceState = { key, name, kind, topic, filter, roomId, outlines: outlines(canonical), hue, shown, members: 0, partial: false, events: [], error: undefined };
    this.states.set(kind === "drawn" ? [state, ...this.states.value] : [...this.states.value, state]);
    this.onTint(undefined);
    if (shown) this.#start(state);
  }

  remove(key: string): void {
    void this.#scopes.get(key)?.stop();
    this.#scopes.delete(key);
    this.states.set(this.states.value.filter((f) => f.key !== key));
    this.onTint(undefined);
  }

  show(key: string, shown: boolean): void {
    const state = this.states.value.find((f) => f.key === key);
    if (!state || state.shown === shown) return;
    shown ? this.#hidden.delete(state.name) : this.#hidden.add(state.name);
    this.#change(key, { shown });
    if (shown) this.#start(state);
    else {
      void this.#scopes.get(key)?.stop();
      this.#scopes.delete(key);
    }
    this.onTint(undefined);
  }

  /** The colour of a document: 0 if it is in no fence that is shown, else that of the first. */
  tintOf(id: string): number {
    for (const f of this.states.value) if (f.shown && this.#scopes.get(f.key)?.members.has(id)) return f.hue + 1;
    return 0;
  }

  #start(state: FenceState): void {
    const { key } = state;
    let events = state.events;
    const scope = new Scope(this.ambit, this.index, this.collection, state.filter, {
      member: (id, _, event) => {
        if (event) events = [event, ...events].slice(0, eventsKept);
        this.#pending.set(key, { members: scope.members.size, partial: scope.partial, events });
        this.#later();
        this.onTint(id);
      },
      error: (error) => this.#change(key, { error }),
    });
    this.#scopes.set(key, scope);
    void scope.start();
  }

  readonly #pending = new Map<string, Partial<FenceState>>();

  /** What is told of one fence in a frame is shown once. */
  #later(): void {
    if (this.#due) return;
    this.#due = true;
    setTimeout(() => {
      this.#due = false;
      this.states.set(this.states.value.map((f) => ({ ...f, ...this.#pending.get(f.key) })));
      this.#pending.clear();
    }, 50);
  }

  #change(key: string, change: Partial<FenceState>): void {
    this.states.set(this.states.value.map((f) => (f.key === key ? { ...f, ...change } : f)));
  }
}
