// What the cases use. It runs in Node.js and in a page.

/** What a case is given: where the broker is, Kuzzle's client, and what is outside of a page. */
export class World {
  constructor({ Kuzzle, WebSocket }, port, outside) {
    Object.assign(this, { Kuzzle, WebSocket, port, outside, clients: [] });
  }

  /** Returns a connected client: one that does not take a busy machine for a dead one, as it would after two seconds. */
  async connect(options = {}, port = this.port) {
    const kuzzle = new this.Kuzzle(new this.WebSocket("127.0.0.1", { port, reconnectionDelay: 100, pingInterval: 30_000, ...options }), { deprecationWarning: false });
    this.clients.push(kuzzle);
    await kuzzle.connect();
    return kuzzle;
  }

  close() {
    for (const kuzzle of this.clients) kuzzle.disconnect();
    this.clients = [];
  }
}

/** Notifications that wait to be looked at. */
export class Inbox {
  constructor() {
    this.told = [];
    this.add = (n) => {
      this.told.push(n);
      this.came?.();
    };
  }

  /** Waits for the next one. */
  async next() {
    const late = setTimeout(() => this.came?.(), patience);
    while (this.told.length === 0) {
      const since = Date.now();
      await new Promise((done) => (this.came = done));
      if (this.told.length === 0 && Date.now() - since >= patience / 2) throw new Error("waited in vain for a notification");
    }
    clearTimeout(late);
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
    const value = await holds();
    if (value) return value;
  }
  throw new Error(`waited in vain for ${what}`);
}

/** Fails unless everything in want is in got, which may have more members. A function is asked. */
export function match(got, want, path = "it") {
  if (typeof want === "function") {
    if (!want(got)) throw new Error(`${path} is ${JSON.stringify(got)}`);
  } else if (Array.isArray(want)) {
    if (!Array.isArray(got) || got.length !== want.length) throw new Error(`${path} is ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
    want.forEach((w, i) => match(got[i], w, `${path}[${i}]`));
  } else if (want !== null && typeof want === "object") {
    if (got === null || typeof got !== "object") throw new Error(`${path} is ${JSON.stringify(got)}, want an object`);
    for (const [name, w] of Object.entries(want)) match(got[name], w, `${path}.${name}`);
  } else if (got !== want) {
    throw new Error(`${path} is ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
  }
}

/** Fails unless something is refused, with what Kuzzle says of it. */
export async function refused(promise, want) {
  let result;
  try {
    result = await promise;
  } catch (error) {
    match({ id: error.id, code: error.code, status: error.status, message: error.message, props: error.props, errors: error.errors }, want, "the error");
    return;
  }
  throw new Error(`it was not refused: ${JSON.stringify(result)}`);
}

/** Fails unless the members of an object are these, and no others. */
export function members(got, names) {
  const have = Object.keys(got).sort().join();
  if (have !== [...names].sort().join()) throw new Error(`it has ${have}, want ${[...names].sort().join()}`);
}
