// The fences of the map: named rooms of the collection, and what was drawn. Of each that is shown it is known who is in
// its scope, and what has entered and left.
import type { Ambit, Filter } from "@ambit/client";

import { Store } from "../../store.js";
import { color } from "../../theme.js";
import { type Outline, outlines } from "./fence.js";
import { Scope, type ScopeEvent } from "./scope.js";

export interface FenceState {
  key: string;
  /** The name of the room, with its @, or of what was drawn. */
  name: string;
  isRoom: boolean;
  filter: Filter;
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
}

export class Fences {
  readonly states = new Store<FenceState[]>([]);
  readonly #scopes = new Map<string, Scope>();
  #drawn = 0;
  #hidden = new Set<string>();
  #due = false;

  constructor(
    private readonly ambit: Ambit,
    private readonly index: string,
    private readonly collection: string,
    /** Documents have other fences now: one by its id, or all. */
    private readonly onTint: (id: string | undefined) => void,
  ) {}

  close(): void {
    for (const scope of this.#scopes.values()) void scope.stop();
    this.#scopes.clear();
  }

  /** Reads the names of the collection again: a name may have another filter, or be gone. */
  async readRooms(): Promise<void> {
    const { rooms } = await this.ambit.connection.request<{ rooms: Named[] }>({ controller: "room", action: "list", index: this.index, collection: this.collection });
    const before = new Map(this.states.value.filter((f) => f.isRoom).map((f) => [f.key, f]));
    for (const { name, filter } of rooms) {
      const key = `@${name} ${JSON.stringify(filter)}`;
      if (!before.delete(key)) await this.#add(key, `@${name}`, filter, true);
    }
    for (const key of before.keys()) this.remove(key);
  }

  /** Adds what was drawn, and returns its key. */
  async addDrawn(filter: Filter): Promise<string> {
    const key = `drawn ${++this.#drawn}`;
    await this.#add(key, `Fence ${this.#drawn}`, filter, false);
    return key;
  }

  async #add(key: string, name: string, filter: Filter, isRoom: boolean): Promise<void> {
    const { filter: canonical } = await this.ambit.realtime.validate(this.index, this.collection, filter);
    const used = new Map<number, number>();
    for (const f of this.states.value) used.set(f.hue, (used.get(f.hue) ?? 0) + 1);
    const hue = Array.from({ length: hues }, (_, i) => i).sort((a, b) => (used.get(a) ?? 0) - (used.get(b) ?? 0))[0]!;
    const shown = !isRoom || (!this.#hidden.has(name) && this.states.value.filter((f) => f.isRoom && f.shown).length < shownAtFirst);
    const state: FenceState = { key, name, isRoom, filter, outlines: outlines(canonical), hue, shown, members: 0, partial: false, events: [], error: undefined };
    this.states.set(isRoom ? [...this.states.value, state] : [state, ...this.states.value]);
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
