// One room, of whatever each client calls it: a device's over MQTT, Kuzzle's, PocketBase's, one of Socket.IO, and a
// stream of Server-Sent Events that curl reads. Whichever way a document comes in, all are told the same in the same order.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

import { Inbox, match } from "./world.js";

export const settings = { "ambit.yaml": "pocketbase: {index: fleet}\n" };

const filter = { range: { speed: { gt: 50 } } };

/** Runs a program until the case is over, and yields the lines that it prints to a function. */
function follow(world, program, args, tell) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  world.clients.push({ realtime: { unsubscribe: () => child.kill() } });
  createInterface({ input: child.stdout }).on("line", tell);
}

/** What a notification says: "in 1 60", "out 1". */
function said(n) {
  return n.scope === "out" ? `out ${n.result._id}` : `in ${n.result._id} ${n.result._source.speed}`;
}

/** Each returns what it is told by the time that it is in the room. */
const watchers = {
  async mqtt(world, told) {
    const at = await world.outside.address();
    follow(world, "stdbuf", ["-oL", "mosquitto_sub", "-d", "-F", "%x", "-V", "311", "-h", at.host, "-p", at.port, "-t", `fleet/${world.collection}/?${JSON.stringify(filter)}`], (line) => {
      if (line.startsWith("Subscribed")) told.begun();
      if (/^[0-9a-f]+$/.test(line)) told.add(said(JSON.parse(Buffer.from(line, "hex"))));
    });
  },

  async curl(world, told) {
    const query = ["-G", "--data-urlencode", `filter=${JSON.stringify(filter)}`];
    follow(world, "curl", ["-sN", ...query, `${world.url}/api/rooms/fleet/${world.collection}`], (line) => {
      if (line === "event: subscribed") told.begun();
      if (line.startsWith('data: {"type"')) told.add(said(JSON.parse(line.slice(6))));
    });
  },

  async kuzzle(world, told) {
    await (await world.kuzzle()).realtime.subscribe("fleet", world.collection, filter, (n) => told.add(said(n)));
    told.begun();
  },

  async pocketbase(world, told) {
    const tell = ({ action, record }) => told.add(action === "delete" ? `out ${record.id}` : `in ${record.id} ${record.speed}`);
    await world.records().subscribe("*", tell, { filter: "speed > 50" });
    told.begun();
  },

  async socketio(world, told) {
    const socket = connectSocket(world);
    socket.on("channel:notification", ({ message }) => told.add(said(message)));
    match(await socket.emitWithAck("join", { channel: `fleet/${world.collection}/?${JSON.stringify(filter)}` }), undefined);
    told.begun();
  },
};

/** Each writes a document. */
const writers = {
  mqtt: (world, id, speed) => world.publish(id, { speed }),
  async curl(world, id, speed) {
    const { error } = await world.outside.ask("document", "createOrReplace", { index: "fleet", collection: world.collection, _id: id, body: { speed } });
    match(error, null);
  },
  kuzzle: async (world, id, speed) => (await world.kuzzle()).document.createOrReplace("fleet", world.collection, id, { speed }),
  async pocketbase(world, id, speed) {
    const records = world.records();
    await records.update(id, { speed }).catch(() => records.create({ id, speed }));
  },
};

/** A client of Socket.IO. */
function connectSocket(world) {
  const { io } = createRequire(new URL("../../agnost/node/run.js", import.meta.url))("socket.io-client");
  const socket = io(world.url, { transports: ["websocket"], forceNew: true, ackTimeout: 20_000 });
  world.clients.push({ realtime: { unsubscribe: () => socket.close() } });
  return socket;
}

/** Kuzzle's client, once for a case. */
async function connectKuzzle(world) {
  const { Kuzzle, WebSocket } = createRequire(new URL("../../kuzzle/node/run.js", import.meta.url))("kuzzle-sdk");
  const kuzzle = new Kuzzle(new WebSocket("127.0.0.1", { port: Number(new URL(world.url).port), pingInterval: 30_000 }), { deprecationWarning: false });
  await kuzzle.connect();
  world.clients.push({ realtime: { unsubscribe: () => kuzzle.disconnect() } });
  return kuzzle;
}

export const crossover = {
  async "whoever writes, everybody in the room is told"(world) {
    let connected;
    world.kuzzle = () => (connected ??= connectKuzzle(world));
    const inboxes = {};
    for (const [name, watch] of Object.entries(watchers)) {
      const told = (inboxes[name] = new Inbox());
      await new Promise((done, fail) => {
        told.begun = done;
        watch(world, told).catch(fail);
      });
    }
    const want = [];
    for (const [name, write] of Object.entries(writers)) {
      await write(world, name, 10);
      await write(world, name, 60);
      await write(world, "shared", 70 + want.length);
      await write(world, name, 20);
      want.push(`in ${name} 60`, `in shared ${70 + want.length}`, `out ${name}`);
    }
    for (const [name, told] of Object.entries(inboxes)) {
      for (const line of want) match(await told.next(), line, `what ${name} is told`);
      match(told.told, []);
    }
  },

  async "whoever sends in a channel, everybody in it is told"(world) {
    const kuzzle = await connectKuzzle(world);
    const at = await world.outside.address();
    const channel = world.collection;
    const inboxes = [new Inbox(), new Inbox()];
    await new Promise((done) => follow(world, "stdbuf", ["-oL", "mosquitto_sub", "-d", "-F", "%x", "-V", "311", "-h", at.host, "-p", at.port, "-t", `$channel/${channel}/say`], (line) => {
      if (line.startsWith("Subscribed")) done();
      if (/^[0-9a-f]+$/.test(line)) inboxes[0].add(JSON.parse(Buffer.from(line, "hex")).message);
    }));
    const socket = connectSocket(world);
    socket.on("say", ({ message }) => inboxes[1].add(message));
    await socket.emitWithAck("join", { channel });
    const request = (by) => ({ controller: "channel", action: "send", channel, event: "say", body: { by } });
    await world.outside.mosquitto("mosquitto_rr", "-V", "311", "-t", "$ambit/request", "-e", "$ambit/response", "-m", JSON.stringify(request("mqtt")));
    await kuzzle.query(request("kuzzle"));
    await world.outside.ask("channel", "send", request("curl"));
    await socket.emitWithAck("message", { channel, eventName: "say", message: { by: "socketio" }, echo: true });
    for (const inbox of inboxes) for (const by of ["mqtt", "kuzzle", "curl", "socketio"]) await inbox.expect({ by });
  },
};
