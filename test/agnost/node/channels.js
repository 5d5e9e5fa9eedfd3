// Channels, as Agnost's and Altogic's guides show them, and who is in them over MQTT.
import { Inbox, match, until } from "./world.js";

export const settings = { "ambit.yaml": 'origins: ["127.0.0.1:*"]\npresence:\n  grace: 1s\n' };

/** Waits until the broker has done what a socket asked for before. */
const settled = (socket) => socket.emitWithAck("members", { channel: "nobody" });

export const channels = {
  async "members of a channel are told who comes, what they say, and who goes"(w) {
    const [ann, bob] = [await w.connect(), await w.connect()];
    ann.emit("join", { channel: "chat" });
    await ann.inbox.expect("channel:join", { channel: "chat", message: { id: ann.id, data: {} } });
    ann.emit("join", { channel: "chat" }); // again: nothing
    bob.emit("join", { channel: "chat", echo: false });
    await ann.inbox.expect("channel:join", { channel: "chat", message: { id: bob.id } });
    bob.emit("message", { channel: "chat", eventName: "say", message: { text: "hi" } });
    await ann.inbox.expect("say", { channel: "chat", message: { text: "hi" } });
    await bob.inbox.expect("say", { channel: "chat", message: { text: "hi" } });
    bob.emit("leave", { channel: "chat" });
    await ann.inbox.expect("channel:leave", { channel: "chat", message: { id: bob.id } });
    await bob.inbox.expect("channel:leave", { channel: "chat", message: { id: bob.id } });
    ann.emit("message", { channel: "chat", eventName: "say", message: 1 });
    await ann.inbox.expect("say", { message: 1 });
    await settled(bob);
    bob.inbox.empty();
    bob.emit("join", { channel: "chat" });
    await bob.inbox.expect("channel:join", { channel: "chat" });
    await ann.inbox.expect("channel:join", { message: { id: bob.id } });
    const id = bob.id;
    bob.close();
    await ann.inbox.expect("channel:leave", { channel: "chat", message: { id } });
  },

  async "whoever sends need not be a member"(w) {
    const [ann, bob] = [await w.connect(), await w.connect()];
    await ann.emitWithAck("join", { channel: "open", echo: false });
    bob.emit("message", { channel: "open", eventName: "knock", message: "who is there?" });
    await ann.inbox.expect("knock", { channel: "open", message: "who is there?" });
    await settled(bob);
    bob.inbox.empty();
  },

  async "echo is as the connection says, unless the call does"(w) {
    const [loud, quiet] = [await w.connect({ echoMessages: true }), await w.connect({ echoMessages: false })];
    await quiet.emitWithAck("join", { channel: "echo" });
    quiet.inbox.empty();
    await loud.emitWithAck("join", { channel: "echo" });
    await loud.inbox.expect("channel:join", { message: { id: loud.id } });
    await quiet.inbox.expect("channel:join", { message: { id: loud.id } });
    await quiet.emitWithAck("message", { channel: "echo", eventName: "a", message: 1 });
    await quiet.emitWithAck("message", { channel: "echo", eventName: "b", message: 2, echo: true });
    await loud.emitWithAck("message", { channel: "echo", eventName: "c", message: 3, echo: false });
    await loud.emitWithAck("update", { data: { n: 1 }, echo: false });
    await loud.emitWithAck("leave", { channel: "echo", echo: false });
    await loud.inbox.expect("a", { message: 1 });
    await loud.inbox.expect("b", { message: 2 });
    for (const event of ["b", "c", "channel:update", "channel:leave"]) await quiet.inbox.expect(event, { channel: "echo" });
    await settled(loud);
    loud.inbox.empty();
  },

  async "a broadcast is for everyone"(w) {
    const [ann, bob] = [await w.connect(), await w.connect()];
    ann.emit("message", { eventName: "news", message: { closed: "on Monday" } });
    for (const one of [ann, bob]) await one.inbox.expect("news", { channel: null, message: { closed: "on Monday" } });
    ann.emit("message", { eventName: "more", message: null, echo: false });
    await bob.inbox.expect("more", { channel: null, message: null });
    await settled(ann);
    ann.inbox.empty();
  },

  async "a profile goes with its client from channel to channel"(w) {
    const [ann, bob] = [await w.connect(), await w.connect({ echoMessages: false })];
    await ann.emitWithAck("join", { channel: "one", echo: false });
    await ann.emitWithAck("join", { channel: "two", echo: false });
    await bob.emitWithAck("join", { channel: "one" });
    bob.emit("update", { data: { name: "Bob" } });
    await ann.inbox.expect("channel:join", { channel: "one", message: { id: bob.id, data: {} } });
    await ann.inbox.expect("channel:update", { channel: "one", message: { id: bob.id, data: { name: "Bob" } } });
    bob.emit("join", { channel: "two" });
    await ann.inbox.expect("channel:join", { channel: "two", message: { id: bob.id, data: { name: "Bob" } } });
    match(await bob.emitWithAck("update", { data: "Bob" }), { error: { code: "invalid_request_body", event: "update" } });
  },

  async "who is in a channel is asked by HTTP, with and without an environment, and by an event"(w) {
    const [ann, bob] = [await w.connect(), await w.connect()];
    await ann.emitWithAck("update", { data: { name: "Ann" } });
    for (const one of [ann, bob]) await one.emitWithAck("join", { channel: "list" });
    const want = [{ id: ann.id, data: { name: "Ann" } }, { id: bob.id, data: {} }].sort((a, b) => (a.id < b.id ? -1 : 1));
    match(await ann.emitWithAck("members", { channel: "list" }), want);
    for (const path of ["/agnost/realtime/get-members", "/env-1/agnost/realtime/get-members", "/_api/rest/v1/realtime/get-members", "/e:1/_api/rest/v1/realtime/get-members"]) {
      const response = await fetch(`http://${w.http}${path}`, { method: "POST", body: JSON.stringify({ channel: "list" }), headers: { "Content-Type": "application/json" } });
      match([response.status, await response.json()], [200, want], path);
    }
    const wrong = await fetch(`http://${w.http}/agnost/realtime/get-members`, { method: "POST", body: "[]" });
    match([wrong.status, await wrong.json()], [400, { errors: [{ origin: "client_error", code: "invalid_request_body" }] }]);
  },

  async "every name passes, but those by which the server speaks"(w) {
    const [ann, bob] = [await w.connect(), await w.connect({ echoMessages: false })];
    for (const channel of ["a/b+#", "$sys", "*", "100%", "50%25", "Übung – 中文", "join"]) {
      await ann.emitWithAck("join", { channel, echo: false });
      for (const eventName of ["say", "update", "join", "a/b", "%75pdate", "error", "chat:message"]) {
        match(await bob.emitWithAck("message", { channel, eventName, message: eventName }), undefined);
        await ann.inbox.expect(eventName, { channel, message: eventName });
      }
    }
    for (const eventName of ["channel:join", "channel:leave", "channel:update", "channel:notification", "user:signin", "disconnect", "connect", ""]) {
      match(await bob.emitWithAck("message", { channel: "join", eventName, message: { id: ann.id } }), { error: { code: "invalid_request_body" } });
    }
    await w.outside.ask("channel", "send", { channel: "%6Aoin", event: "channel:leave", body: { id: bob.id } });
    await w.outside.ask("channel", "send", { channel: "%6Aoin", event: "last", body: 1 });
    await ann.inbox.expect("last", { channel: "join", message: 1 });
  },

  async "what is wrong is told, as an event if nobody asks for an answer"(w) {
    const ann = await w.connect();
    for (const [event, payload, code] of [
      ["join", {}, "invalid_request_body"], ["join", "chat", "invalid_request_body"], ["join", { channel: 7 }, "invalid_request_body"], ["join", { CHANNEL: "chat" }, "invalid_request_body"],
      ["message", { channel: "chat", eventName: {} }, "invalid_request_body"], ["message", { channel: ["chat"], eventName: "say" }, "invalid_request_body"],
      ["message", { channel: "chat", eventName: "deep", message: deep(50) }, "invalid_request_body"],
      ["join", { channel: "x".repeat(200) }, "invalid_request_body"], ["message", { channel: "chat" }, "invalid_request_body"],
      ["other", {}, "invalid_request_body"], ["join", { channel: 'fleet/trucks/?{"rangex":{}}' }, "invalid_request_body"],
      ["message", { channel: "fleet/trucks/?{}", eventName: "say", message: 1 }, "invalid_request_body"],
    ]) {
      match(await ann.emitWithAck(event, payload), { error: { origin: "client_error", code, event, message: (m) => m.length > 10 && !/Go|json:|MQTT/.test(m) } }, event);
      ann.emit(event, payload);
      await ann.inbox.expect("error", { origin: "client_error", code, event });
    }
    ann.emit("message", { channel: "chat", eventName: "picture", message: new Uint8Array([1, 2, 3]) });
    await ann.inbox.expect("error", { code: "invalid_request_body", event: "message", message: (m) => m.includes("binary") });
    match(await ann.emitWithAck("members", { channel: "chat" }), []);
  },

  async "a client that is in a room is told of its documents"(w) {
    const ann = await w.connect();
    const room = 'fleet/trucks/?{"range":{"speed":{"gt":50}}}';
    await ann.emitWithAck("join", { channel: room });
    await w.outside.mosquitto("mosquitto_pub", "-q", "1", "-t", "fleet/trucks/1", "-m", '{"speed":60}');
    await ann.inbox.expect("channel:notification", { channel: room, message: { type: "document", transition: "enter", result: { _id: "1", _source: { speed: 60 } } } });
    await w.outside.mosquitto("mosquitto_pub", "-q", "1", "-t", "fleet/trucks/1", "-m", '{"speed":40}');
    await ann.inbox.expect("channel:notification", { channel: room, message: { transition: "exit", scope: "out" } });
    const out = "fleet/trucks/?{}&payload=none&scope=out";
    await ann.emitWithAck("join", { channel: out });
    await ann.emitWithAck("leave", { channel: room });
    await w.outside.mosquitto("mosquitto_pub", "-q", "1", "-t", "fleet/trucks/2", "-m", '{"speed":70}');
    await w.outside.ask("document", "delete", { index: "fleet", collection: "trucks", _id: "2" });
    await ann.inbox.expect("channel:notification", { channel: out, message: null });
    ann.inbox.empty();
  },

  async "a device and a page are in one channel"(w) {
    const ann = await w.connect();
    await ann.emitWithAck("join", { channel: "yard" });
    await ann.inbox.expect("channel:join", {});
    const watch = (...args) => w.outside.mosquitto("mosquitto_sub", "-V", "311", "-i", "watcher", "-c", "-q", "1", "-t", "$channel/yard/+", "-F", "%t %p", ...args);
    await watch("-E"); // what is told from here on waits for it
    const ask = (...args) => w.outside.mosquitto("mosquitto_rr", "-V", "5", "-W", "20", "-i", "truck-7", "-t", "$ambit/request", "-e", "answers/truck-7", "-m", JSON.stringify(Object.assign({ controller: "channel", channel: "yard" }, ...args)));
    await ask({ action: "join", body: { kind: "truck" } });
    await ann.inbox.expect("channel:join", { channel: "yard", message: { id: "truck-7", data: { kind: "truck" } } });
    await ask({ action: "send", event: "position", body: { lat: 48.1 } });
    await ann.inbox.expect("position", { channel: "yard", message: { lat: 48.1 } });
    ann.emit("message", { channel: "yard", eventName: "stop", message: { now: true } });
    await ann.inbox.expect("stop", { message: { now: true } });
    match((await ann.emitWithAck("members", { channel: "yard" })).map((m) => m.id).sort(), [ann.id, "truck-7"].sort());
    await ann.inbox.expect("channel:leave", { message: { id: "truck-7" } }); // it is gone for longer than the grace
    const lines = (await watch("-C", "4", "-W", "20")).map((line) => [line.split(" ")[0], JSON.parse(line.slice(line.indexOf(" ")))]);
    match(lines, [
      ["$channel/yard/join", { event: "join", member: { clientId: "truck-7" } }],
      ["$channel/yard/position", { message: { lat: 48.1 }, from: { clientId: "truck-7" } }],
      ["$channel/yard/stop", { message: { now: true }, from: { clientId: ann.id } }],
      ["$channel/yard/leave", { member: { clientId: "truck-7" }, why: "disconnected" }],
    ]);
  },

  async "Altogic's client does all of it"(w) {
    const [ann, bob] = [await w.altogic(), await w.altogic({ realtime: { bufferMessages: false, echoMessages: false } })];
    match([ann.realtime.isConnected(), ann.realtime.getSocketId().startsWith("agnost-")], [true, true]);
    ann.realtime.join("lobby");
    await ann.inbox.expect("channel:join", { channel: "lobby", message: { id: ann.realtime.getSocketId() } });
    bob.realtime.updateProfile({ name: "Bob" });
    bob.realtime.join("lobby");
    await ann.inbox.expect("channel:join", { channel: "lobby", message: { id: bob.realtime.getSocketId(), data: { name: "Bob" } } });
    bob.realtime.send("lobby", "say", { text: "hi" }, true);
    for (const one of [ann, bob]) await one.inbox.expect("say", { channel: "lobby", message: { text: "hi" } });
    bob.realtime.updateProfile({ name: "Robert" });
    await ann.inbox.expect("channel:update", { channel: "lobby", message: { data: { name: "Robert" } } });
    ann.realtime.broadcast("news", [1, 2]);
    for (const one of [ann, bob]) await one.inbox.expect("news", { channel: null, message: [1, 2] });
    const { data, errors } = await ann.realtime.getMembers("lobby");
    match([errors, data.map((m) => m.data.name ?? "Ann").sort()], [null, ["Ann", "Robert"]]);
    bob.realtime.leave("lobby");
    await ann.inbox.expect("channel:leave", { channel: "lobby" });
    bob.inbox.empty();
  },

  async "a component opens, listens, and closes as the guide has it"(w) {
    const { realtime } = await w.altogic();
    const other = await w.connect({ echoMessages: false });
    const told = new Inbox();
    realtime.onJoin((m) => told.add(["join", m]));
    realtime.onUpdate((m) => told.add(["update", m]));
    realtime.onLeave((m) => told.add(["leave", m]));
    realtime.onDisconnect((why) => told.add(["closed", why]));
    const say = (m) => told.add(["say", m]);
    realtime.on("say", say);
    realtime.once("say", (m) => told.add(["once", m]));
    realtime.join("component", false);
    await until(async () => (await other.emitWithAck("members", { channel: "component" })).length === 1, "the component to have joined");
    await other.emitWithAck("join", { channel: "component" });
    await told.expect("join", { channel: "component", message: { id: other.id } });
    await other.emitWithAck("message", { channel: "component", eventName: "say", message: 1 });
    await told.expect("say", { channel: "component", message: 1 });
    await told.expect("once", { message: 1 });
    match(realtime.getListeners("say").length, 1);
    realtime.off("say", say);
    await other.emitWithAck("message", { channel: "component", eventName: "say", message: 2 });
    await other.emitWithAck("update", { data: { n: 1 } });
    await told.expect("update", { channel: "component", message: { id: other.id, data: { n: 1 } } });
    await other.emitWithAck("leave", { channel: "component" });
    await told.expect("leave", { channel: "component", message: { id: other.id } });
    const id = realtime.getSocketId();
    realtime.close();
    await told.expect("closed", "io client disconnect");
    match([realtime.isConnected(), realtime.getSocketId()], [false, undefined]);
    realtime.open();
    await until(() => realtime.isConnected() && realtime.getSocketId() !== id, "the component to be open again");
    await until(async () => (await other.emitWithAck("members", { channel: "component" })).length === 1, "it to have joined again by itself");
  },

  async "Altogic's addresses all lead here"(w) {
    for (const url of [`http://fleet.c1.ambit.localhost:${w.port}`, `http://engine.ambit.localhost:${w.port}/e:abc`]) {
      const client = await w.altogic({}, url);
      client.realtime.join("addresses");
      await client.inbox.expect("channel:join", { channel: "addresses" });
      match(await client.realtime.getMembers("addresses"), { errors: null, data: [{ id: client.realtime.getSocketId() }] });
      client.realtime.close();
      await until(async () => (await w.outside.ask("channel", "members", { channel: "addresses" })).result.count === 0, "the client to leave");
    }
  },
};

/** Returns lists in each other. */
function deep(levels) {
  return levels > 1 ? [deep(levels - 1)] : [];
}
