// The connection itself: raw texts, MQTT beside it, a broker that is killed, and many clients.
import { Inbox, match, refused, until } from "./world.js";

export const settings = { "ambit.yaml": 'origins: ["127.0.0.1:*"]\n' };

/** A WebSocket without Kuzzle's client. */
async function raw(w, port = w.port) {
  const socket = new globalThis.RawWebSocket(`ws://127.0.0.1:${port}/`);
  await new Promise((done, fail) => Object.assign(socket, { onopen: done, onerror: fail }));
  const inbox = new Inbox();
  socket.onmessage = (event) => inbox.add(JSON.parse(event.data));
  const closed = new Promise((done) => (socket.onclose = (event) => done(event.code)));
  return { socket, inbox, closed, say: (text) => socket.send(text) };
}

export const connection = {
  async "raw texts are answered as by wscat"(w) {
    const { socket, inbox, say } = await raw(w);
    say('{"controller":"server","action":"now"}');
    await inbox.expect({ status: 200, error: null, requestId: (id) => id.length > 10, result: { now: (n) => n > 0 } });
    say('{"requestId":"r1","controller":"realtime","action":"subscribe","index":"fleet","collection":"raw","body":{"equals":{"a":1}},"users":"all","volatile":{"me":1}}');
    const { result } = await inbox.next();
    match(result, { roomId: (id) => /^[0-9a-f]{32}$/.test(id), channel: (c) => /^[0-9a-f]{32}$/.test(c) });
    say('{"requestId":"r2","controller":"document","action":"create","index":"fleet","collection":"raw","_id":"1","body":{"a":1}}');
    const two = [await inbox.next(), await inbox.next()].sort((a) => (a.type ? -1 : 1));
    match(two, [{ type: "document", room: result.channel, requestId: "r2", volatile: null }, { room: "r2", requestId: "r2", status: 200 }]);
    say('{"p":1}');
    await inbox.expect({ p: 2 });
    say('{"p":1,"controller":"server"}');
    await inbox.expect({ error: { id: "api.assert.missing_argument" } });
    say("{");
    await inbox.expect({ status: 400, error: { id: "network.websocket.unexpected_error", code: 0x03030001, props: (p) => p.length === 1 } });
    say('{"controller":"server","action":"now","Controller":"auth","Action":"login","jwt":null}');
    await inbox.expect({ status: 200, result: { now: (n) => n > 0 } });
    say('[1]');
    await inbox.expect({ status: 400, error: { id: "network.websocket.unexpected_error" } });
    say(new TextEncoder().encode('{"requestId":"binary","controller":"server","action":"now"}'));
    await inbox.expect({ requestId: "binary", status: 200 });
    socket.close();
  },

  async "a text that is too long ends the connection"(w) {
    const { closed, say } = await raw(w);
    say(JSON.stringify({ controller: "server", action: "now", body: "x".repeat(300 << 10) }));
    match(await closed, 1009);
  },

  async "the client's pings are answered"(w) {
    const k = await w.connect({ pingInterval: 500 });
    let lost = 0;
    k.on("networkError", () => lost++);
    const ping = k.protocol.ping;
    const pings = new Inbox();
    k.protocol.ping = () => (ping(), pings.add());
    for (let n = 0; n < 3; n++) await pings.next(); // it sends none before the last one was answered
    match([lost, k.connected], [0, true]);
  },

  async "Kuzzle's own port serves, too"(w) {
    const k = await w.connect({}, await w.outside.kuzzlePort());
    match(await k.server.now(), (now) => now > 0);
    k.disconnect();
  },

  async "a device publishes over MQTT, and Kuzzle's client sees it"(w) {
    const k = await w.connect();
    const inbox = new Inbox();
    await k.realtime.subscribe("fleet", "devices", { range: { speed: { gt: 50 } } }, inbox.add);
    await w.outside.mosquitto("mosquitto_pub", "-V", "311", "-q", "1", "-t", "fleet/devices/t1", "-m", '{"speed":60}');
    await inbox.expect({ action: "create", scope: "in", protocol: "mqtt", result: { _id: "t1", _source: { speed: 60 } } });
    await w.outside.mosquitto("mosquitto_pub", "-V", "5", "-q", "1", "-t", "fleet/devices/t1", "-n");
    await inbox.expect({ action: "delete", scope: "out", result: { _id: "t1" } });
    await w.outside.mosquitto("mosquitto_pub", "-V", "311", "-t", "fleet/devices", "-m", '{"speed":70}');
    await inbox.expect({ action: "publish", result: { _source: { speed: 70 } } });
  },

  async "a device sees over MQTT what Kuzzle's client writes"(w) {
    const k = await w.connect();
    const inbox = new Inbox();
    const filter = { range: { speed: { gt: 50 } } };
    await k.realtime.subscribe("fleet", "both", filter, inbox.add, { users: "in" });
    const told = w.outside.mosquitto("mosquitto_sub", "-V", "311", "-C", "2", "-W", "20", "-t", `fleet/both/?${JSON.stringify(filter)}`, "-t", "fleet/both/t1");
    await inbox.expect({ type: "user", user: "in", result: { count: 2 } });
    await k.document.create("fleet", "both", { speed: 80 }, "t1");
    await inbox.expect({ type: "document" });
    const lines = (await told).map((line) => JSON.parse(line)).sort((a) => (a.type ? -1 : 1));
    match(lines, [{ type: "document", protocol: "websocket", result: { _id: "t1" } }, { speed: 80 }]);
  },

  async "the same requests work over MQTT 3.1.1"(w) {
    const ask = (request) => w.outside.mosquitto("mosquitto_rr", "-V", "311", "-t", "Kuzzle/request", "-e", "Kuzzle/response", "-W", "20", "-m", JSON.stringify(request));
    match(JSON.parse((await ask({ requestId: "r1", controller: "document", action: "createOrReplace", index: "fleet", collection: "asked", _id: "1", body: { a: 1 } }))[0]), { requestId: "r1", status: 200, result: { _id: "1", created: true } });
    match(JSON.parse((await ask({ controller: "ms", action: "get" }))[0]), { status: 404, error: { id: "api.process.controller_not_found" } });
    const { result } = JSON.parse((await ask({ controller: "realtime", action: "subscribe", index: "fleet", collection: "asked", body: { exists: "b" }, users: "in" }))[0]);
    const k = await w.connect();
    const inbox = new Inbox();
    await k.realtime.subscribe("fleet", "asked", { exists: "b" }, inbox.add, { users: "in" });
    const told = w.outside.mosquitto("mosquitto_sub", "-V", "311", "-C", "2", "-W", "20", "-t", result.channel);
    await inbox.expect({ type: "user", user: "in", result: { count: 2 } });
    await k.document.create("fleet", "asked", { b: 1 }, "2");
    const [joined, written] = (await told).map((line) => JSON.parse(line));
    match(joined, { type: "user", user: "in", protocol: "mqtt" }); // it is not the first one
    match(written, { type: "document", room: result.roomId, result: { _id: "2", _source: { b: 1 } } });
  },

  async "a client that reconnects after the broker was killed goes on"(w) {
    const k = await w.connect();
    const inbox = new Inbox();
    let reconnected = 0;
    k.on("reconnected", () => reconnected++);
    await k.realtime.subscribe("fleet", "killed", { exists: "n" }, inbox.add);
    await k.document.create("fleet", "killed", { n: 1 }, "1");
    await inbox.expect({ result: { _id: "1" } });
    await w.outside.restart();
    await until(() => reconnected === 1, "the client to reconnect");
    await until(async () => Object.keys((await k.query({ controller: "realtime", action: "list" })).result).length > 0, "the client to subscribe again");
    match(await k.document.get("fleet", "killed", "1"), { _source: { n: 1 } });
    await k.document.update("fleet", "killed", "1", { n: 2 });
    await inbox.expect({ action: "update", scope: "in", transition: "stay", result: { _id: "1", _source: { n: 2 } } });
  },

  async "a thousand clients are told at once"(w) {
    const clients = await Promise.all(Array.from({ length: w.many }, () => w.connect()));
    const inboxes = await Promise.all(clients.map(async (k) => {
      const inbox = new Inbox();
      await k.realtime.subscribe("fleet", "crowd", { exists: "n" }, inbox.add);
      return inbox;
    }));
    const room = (await clients[0].query({ controller: "realtime", action: "list" })).result.fleet.crowd;
    match(Object.values(room), [w.many]);
    for (let n = 1; n <= 3; n++) await clients[0].document.createOrReplace("fleet", "crowd", "1", { n });
    for (const inbox of inboxes) for (let n = 1; n <= 3; n++) await inbox.expect({ result: { _source: { n } } });
  },
};
