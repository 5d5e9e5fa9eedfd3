// What is subscribed to, as long as the page is there: the log goes on while another screen is shown.
import type { Ambit } from "@ambit/client";

import { Store } from "../../store.js";
import { Log } from "./log.js";

export interface Followed {
  topic: string;
  error: Error | undefined;
}

export class Follower {
  readonly log = new Log();
  readonly followed = new Store<Followed[]>([]);
  /** Changes when there is something new, a few times a second at most. */
  readonly version = new Store(0);
  readonly #off = new Map<string, () => Promise<void>>();
  #due = false;

  constructor(private readonly ambit: Ambit) {}

  async add(topic: string): Promise<void> {
    if (this.followed.value.some((f) => f.topic === topic && !f.error)) return;
    const others = this.followed.value.filter((f) => f.topic !== topic);
    this.followed.set([...others, { topic, error: undefined }]);
    try {
      this.#off.set(topic, await this.ambit.connection.follow(topic, (payload, name) => this.#receive(topic, name, payload)));
    } catch (e) {
      this.followed.set(this.followed.value.map((f) => (f.topic === topic ? { topic, error: e as Error } : f)));
    }
  }

  async remove(topic: string): Promise<void> {
    this.followed.set(this.followed.value.filter((f) => f.topic !== topic));
    const off = this.#off.get(topic);
    this.#off.delete(topic);
    await off?.().catch(() => undefined); // it ended with the connection
  }

  clear(): void {
    this.log.clear();
    this.#tell();
  }

  #receive(by: string, topic: string, payload: Uint8Array): void {
    this.log.add(by, topic, payload);
    if (this.#due) return;
    this.#due = true;
    setTimeout(() => {
      this.#due = false;
      this.#tell();
    }, 150);
  }

  #tell(): void {
    this.version.set(this.version.value + 1);
  }
}

const followers = new WeakMap<Ambit, Follower>();

/** The follower of a connection. */
export function followerOf(ambit: Ambit): Follower {
  const known = followers.get(ambit);
  if (known) return known;
  const follower = new Follower(ambit);
  followers.set(ambit, follower);
  return follower;
}
