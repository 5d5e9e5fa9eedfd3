// Engine.IO itself: both transports, the way from one to the other, and what is refused.
import { connected, match, until } from "./world.js";

export const settings = { "ambit.yaml": "limits:\n  packet_bytes: 16384\nagnost:\n  ping_interval: 1s\n  ping_timeout: 4s\n" };

/** Cases that a page cannot have. */
export const notInPages = ["a page of another host may not ask"];

const separator = "\x1e";

/** A session that is polled by hand. */
class Session {
  static async begin(w, path = "/socket.io/") {
    const s = Object.assign(new Session(), { w, path, sid: undefined });
    const [open] = await s.poll();
    match(open[0], "0");
    s.open = JSON.parse(open.slice(1));
    s.sid = s.open.sid;
    return s;
  }

  url(query = {}) {
    const q = { EIO: "4", transport: "polling", t: Math.random(), ...(this.sid && { sid: this.sid }), ...query };
    return `http://${this.w.http}${this.path}?${new URLSearchParams(q)}`;
  }

  request(query, options) {
    return fetch(this.url(query), options);
  }

  async poll() {
    const response = await this.request();
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    return (await response.text()).split(separator);
  }

  post(...packets) {
    return this.request({}, { method: "POST", body: packets.join(separator) });
  }

  /** Comes in, and polls until a packet has come that holds. */
  async connect(auth = {}) {
    await this.post(`40${JSON.stringify(auth)}`);
    return JSON.parse((await this.find((p) => p.startsWith("40"))).slice(2)).sid;
  }

  async find(holds) {
    for (;;) {
      for (const packet of await this.poll()) {
        if (packet === "2") await this.post("3");
        if (holds(packet)) return packet;
      }
    }
  }
}

const json = async (response) => [response.status, await response.json()];

export const transports = {
  async "a session begins with what the client has to know"(w) {
    for (const path of ["/socket.io/", "/realtime/", "/realtime/realtime/"]) {
      const s = await Session.begin(w, path);
      match(s.open, { sid: (id) => id.length >= 20, upgrades: ["websocket"], pingInterval: 1000, pingTimeout: 4000, maxPayload: 16384 });
      match(await s.connect(), (id) => id.startsWith("agnost-") && id !== s.sid);
    }
  },

  async "what Engine.IO refuses is refused with its codes"(w) {
    const s = await Session.begin(w);
    match(await json(await s.request({ transport: "carrier-pigeon" })), [400, { code: 0, message: "Transport unknown" }]);
    match(await json(await s.request({ sid: "nobody" })), [400, { code: 1, message: "Session ID unknown" }]);
    match(await json(await s.request({ transport: "websocket" })), [400, { code: 3, message: "Bad request" }]);
    match(await json(await s.request({}, { method: "PUT", body: "2" })), [400, { code: 3 }]);
    const none = Object.assign(new Session(), { w, path: "/socket.io/" });
    match(await json(await none.request({}, { method: "POST", body: "40" })), [400, { code: 2, message: "Bad handshake method" }]);
    for (const EIO of ["3", "5", ""]) match(await json(await none.request({ EIO })), [400, { code: 5, message: "Unsupported protocol version" }]);
    const upgrade = await json(await none.request({ transport: "websocket" }));
    match(upgrade, [400, { code: 3 }]);
  },

  async "a page of another host may not ask"(w) {
    const none = Object.assign(new Session(), { w, path: "/socket.io/" });
    const headers = { Origin: "https://evil.example.com" };
    match(await json(await none.request({}, { headers })), [403, { code: 4, message: "Forbidden" }]);
    const socket = w.socket({}, { transports: ["websocket"], reconnection: false, extraHeaders: headers }); // a browser says it by itself
    match((await new Promise((done) => socket.once("connect_error", done))).message, "websocket error");
    const asked = await none.request({}, { method: "OPTIONS", headers: { Origin: `http://${w.http}`, "Access-Control-Request-Headers": "x-mine" } });
    match([asked.status, asked.headers.get("access-control-allow-origin"), asked.headers.get("access-control-allow-headers"), asked.headers.get("access-control-allow-credentials")],
      [204, `http://${w.http}`, "x-mine", "true"]);
  },

  async "several packets go in one payload, each way"(w) {
    const s = await Session.begin(w);
    await s.connect({ echoMessages: true });
    const response = await s.post('42["join",{"channel":"many"}]', '421["message",{"channel":"many","eventName":"a","message":1}]', '42["message",{"channel":"many","eventName":"b","message":2}]');
    match([response.status, response.headers.get("content-type"), await response.text()], [200, "text/html", "ok"]);
    const got = [];
    while (got.length < 4) got.push(...(await s.poll()).filter((p) => p.startsWith("4")));
    match(got.map((p) => p.slice(0, 8)).sort(), ['42["a",{', '42["b",{', '42["chan', "431[]"].sort());
  },

  async "two polls at once end the session"(w) {
    const s = await Session.begin(w);
    await s.connect();
    const [one, two] = await Promise.all([s.request(), s.request()]);
    match([one.status, two.status].sort(), [200, 400]);
    match(await (one.status === 200 ? one : two).text(), (text) => text === "1" || text === "2");
    match(await json(await s.request()), [400, { code: 1 }]);
  },

  async "a payload that is too long, or binary, ends the session"(w) {
    for (const [options, status] of [
      [{ body: `42["message",{"channel":"c","eventName":"e","message":"${"x".repeat(20_000)}"}]` }, 413],
      [{ body: new Uint8Array([4, 0]), headers: { "Content-Type": "application/octet-stream" } }, 415],
      [{ body: "nonsense" }, 200], [{ body: "42[]" }, 200], [{ body: "41" }, 200],
    ]) {
      const s = await Session.begin(w);
      await s.connect();
      match((await s.request({}, { method: "POST", ...options })).status, status, JSON.stringify(options).slice(0, 40));
      await until(async () => (await s.request()).status === 400, "the session to end");
    }
  },

  async "another namespace is refused, and one that does not come in is gone"(w) {
    const s = await Session.begin(w);
    await s.post("40/admin,{}");
    match(await s.poll(), ['44/admin,{"message":"Invalid namespace"}']);
    const socket = w.io(`http://${w.http}/admin`, { transports: ["websocket"], forceNew: true });
    w.sockets.push(socket);
    match((await new Promise((done) => socket.once("connect_error", done))).message, "Invalid namespace");
    const early = await Session.begin(w);
    await early.post('42["join",{"channel":"c"}]');
    match(await json(await early.request()), [400, { code: 1 }]);
  },

  async "binary data in a poll is told of, and nothing else is lost"(w) {
    const s = await Session.begin(w);
    await s.connect({ echoMessages: true });
    await s.post('42["join",{"channel":"bin"}]', '451-["message",{"channel":"bin","eventName":"x","message":{"_placeholder":true,"num":0}}]', "bAQID", '42["message",{"channel":"bin","eventName":"y","message":1}]');
    const got = [];
    await s.find((p) => (got.push(p), got.some((p) => p.startsWith('42["error",{"origin":"client_error"')) && got.some((p) => p.startsWith('42["y",{'))));
  },

  async "a client that polls goes on by a WebSocket, and loses nothing"(w) {
    for (let n = 0; n < 5; n++) {
      const [ann, bob] = [await w.connect({}, { transports: ["polling", "websocket"] }), await w.connect({}, { transports: ["polling"] })];
      let sent = 0;
      ann.emit("join", { channel: "moves", echo: false });
      const upgraded = new Promise((done) => ann.io.engine.once("upgrade", done));
      await ann.emitWithAck("members", { channel: "moves" });
      const sending = (async () => {
        for (; sent < 60; sent++) await bob.emitWithAck("message", { channel: "moves", eventName: "n", message: sent });
      })();
      const transport = ann.io.engine.transport.name === "websocket" || (await upgraded).name === "websocket";
      await sending;
      for (let want = 0; want < sent; want++) await ann.inbox.expect("n", { channel: "moves", message: want });
      match([transport, ann.io.engine.transport.name, bob.io.engine.transport.name], [true, "websocket", "polling"]);
      ann.close();
      bob.close();
    }
  },

  async "pings keep a client, on either transport"(w) {
    for (const transports of [["websocket"], ["polling"]]) {
      const socket = await w.connect({}, { transports });
      let pings = 0;
      socket.io.engine.on("ping", () => pings++);
      await until(() => pings >= 3, "three pings");
      match(socket.connected, true);
    }
  },

  async "a client that does not answer is gone, and its channel is told"(w) {
    const ann = await w.connect();
    await ann.emitWithAck("join", { channel: "gone", echo: false });
    const s = await Session.begin(w);
    const id = await s.connect();
    await s.post('42["join",{"channel":"gone"}]');
    await ann.inbox.expect("channel:join", { message: { id } });
    await ann.inbox.expect("channel:leave", { message: { id } }); // nobody polls
    await until(async () => (await s.request()).status === 400, "the session to be forgotten");
  },

  async "a packet on a WebSocket may be as long as a payload, and no longer"(w) {
    const ann = await w.connect({ echoMessages: true });
    await ann.emitWithAck("join", { channel: "long", echo: false });
    ann.emit("message", { channel: "long", eventName: "fits", message: "x".repeat(16_000) });
    await ann.inbox.expect("fits", { message: (m) => m.length === 16_000 });
    const ended = new Promise((done) => ann.once("disconnect", done));
    ann.emit("message", { channel: "long", eventName: "does not", message: "x".repeat(17_000) });
    match(await ended, "transport close");
    await connected(ann); // it comes back by itself
  },
};
