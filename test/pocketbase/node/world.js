// What the cases use. It runs in Node.js and in a page.
import PocketBase, { BaseAuthStore } from "pocketbase";

let count = 0;

/** What a case is given: where the broker is, what is outside of a page, and a collection of its own. */
export class World {
  constructor(http, outside) {
    Object.assign(this, { url: `http://${http}`, outside, clients: [], collection: `c${++count}` });
  }

  client() {
    const pb = new PocketBase(this.url, new BaseAuthStore()); // not what all of a page share
    pb.autoCancellation(false);
    this.clients.push(pb);
    return pb;
  }

  /** The records of the case's own collection. */
  records(pb = this.client()) {
    return pb.collection(this.collection);
  }

  /** Publishes a document as a device does. */
  publish(id, document) {
    const payload = document === null ? ["-n", "-r"] : ["-m", JSON.stringify(document, null, 1)];
    return this.outside.mosquitto("mosquitto_pub", "-q", "1", "-t", `fleet/${this.collection}/${id}`, ...payload);
  }

  close() {
    for (const pb of this.clients) pb.realtime.unsubscribe();
  }
}

/** Events that wait to be looked at. */
export class Inbox {
  constructor() {
    this.told = [];
    this.add = (e) => {
      this.told.push(e);
      this.came?.();
    };
  }

  /** Waits for the next one. */
  async next() {
    const late = setTimeout(() => this.came?.(), patience);
    if (this.told.length === 0) await new Promise((done) => (this.came = done));
    clearTimeout(late);
    if (this.told.length === 0) throw new Error("waited in vain for an event");
    return this.told.shift();
  }

  /** Waits for the next one, and compares it. */
  async expect(want) {
    match(await this.next(), want);
  }
}

const patience = 20_000;

/** Waits until something holds. */
export async function until(holds, what) {
  for (const end = Date.now() + patience; Date.now() < end; await new Promise((done) => setTimeout(done, 5))) {
    if (await holds()) return;
  }
  throw new Error(`waited in vain for ${what}`);
}

/** Fails unless everything in want is in got, which may have more members. A function is asked. */
export function match(got, want, path = "it") {
  const fail = () => {
    throw new Error(`${path} is ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
  };
  if (typeof want === "function") {
    if (!want(got)) throw new Error(`${path} is ${JSON.stringify(got)}`);
  } else if (Array.isArray(want)) {
    if (!Array.isArray(got) || got.length !== want.length) fail();
    want.forEach((w, i) => match(got[i], w, `${path}[${i}]`));
  } else if (want !== null && typeof want === "object") {
    if (got === null || typeof got !== "object") fail();
    for (const [name, w] of Object.entries(want)) match(got[name], w, `${path}.${name}`);
  } else if (got !== want) fail();
}

/** Fails unless something is refused, with what PocketBase's client makes of it. */
export async function refused(promise, status, message) {
  let result;
  try {
    result = await promise;
  } catch (error) {
    match({ status: error.status, message: error.message }, { status, message: (m) => !message || m.includes(message) || JSON.stringify(error.response).includes(message) }, "the error");
    return error.response;
  }
  throw new Error(`it was not refused: ${JSON.stringify(result)}`);
}

/** Fails unless the members of an object are these, and no others. */
export function members(got, ...names) {
  match(Object.keys(got).sort().join(), names.sort().join(), "the list of members");
}
