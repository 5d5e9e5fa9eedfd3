// What the cases use. It runs in Node.js and in a page.

/** What a case is given: where the broker is, the clients, and what is outside of a page. */
export class World {
  constructor({ io, createClient }, http, outside, many) {
    Object.assign(this, { io, createClient, http, outside, many, sockets: [] });
  }

  get port() {
    return this.http.split(":")[1];
  }

  /** Connects as Agnost's client does, whose library is no longer to be had: with its path, and what it shows. */
  socket(auth = {}, options = {}) {
    const socket = this.io(`http://${this.http}`, {
      path: "/realtime/realtime/", transports: ["websocket", "polling"], forceNew: true, reconnectionDelay: 100,
      auth: { echoMessages: true, envId: "env-1", ...auth }, ...options,
    });
    this.sockets.push(socket);
    return socket;
  }

  /** Does so, and returns it when it is connected, with the events that it gets. */
  async connect(auth, options) {
    const socket = this.socket(auth, options);
    await connected(socket);
    return Object.assign(socket, { inbox: new Inbox(socket) });
  }

  /** Returns what Altogic's client is told on realtime, and the client. */
  async altogic(options = {}, url = `http://c1.ambit.localhost:${this.port}`, key = "any", session) {
    const client = this.createClient(url, key, { localStorage: memory(), signInRedirect: "", ...options });
    if (session) client.auth.setSession({ token: session });
    const realtime = client.realtime;
    this.sockets.push(realtime);
    await new Promise((done, fail) => (realtime.onConnect(done), realtime.onError(fail)));
    return Object.assign(client, { inbox: new Inbox(realtime) });
  }

  close() {
    for (const socket of this.sockets) socket.close();
    this.sockets = [];
  }
}

function memory() {
  const kept = new Map();
  return { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v), removeItem: (k) => kept.delete(k) };
}

/** Waits until a socket is connected. */
export function connected(socket) {
  return new Promise((done, fail) => (socket.connected ? done() : socket.once("connect", done).once("connect_error", fail)));
}

/** Waits until a socket is refused, and compares why. */
export async function refused(socket, code, message) {
  const error = await new Promise((done, fail) => socket.once("connect_error", done).once("connect", () => fail(new Error(`it is not refused with ${code}`))));
  match(error.data ?? error.message, { origin: "client_error", code, message: (m) => m === error.message && (!message || m.includes(message)) });
}

/** Events that wait to be looked at, each with its arguments. */
export class Inbox {
  constructor(from) {
    this.told = [];
    from?.onAny((...event) => this.add(event));
  }

  add(event) {
    this.told.push(event);
    this.came?.();
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
  async expect(...want) {
    match(await this.next(), want);
  }

  /** Fails if something is there. */
  empty() {
    match(this.told, []);
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
