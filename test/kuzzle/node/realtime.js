// What Kuzzle's guides show of realtime, in our words.
import { Inbox, match, members, refused, until } from "./world.js";

const fast = { range: { speed: { gt: 50 } } };

export const realtime = {
  async "a document enters a scope, stays in it, and leaves it"(w) {
    const k = await w.connect();
    const at = ["fleet", "scope"];
    const inbox = new Inbox();
    await k.realtime.subscribe(...at, fast, inbox.add);
    await k.document.create(...at, { speed: 60 }, "1");
    const told = await inbox.next();
    members(told, ["type", "status", "action", "scope", "event", "result", "index", "collection", "controller", "requestId", "timestamp", "volatile", "protocol", "node", "room", "transition", "seq"]);
    match(told, {
      type: "document", status: 200, action: "create", scope: "in", event: "write", index: "fleet", collection: "scope", controller: "document", protocol: "websocket",
      result: { _id: "1", _version: 1, _source: { speed: 60, _kuzzle_info: { author: "-1", updatedAt: null } } }, volatile: { sdkInstanceId: k.protocol.id },
    });
    await k.document.create(...at, { speed: 10 }, "2");
    await k.document.update(...at, "1", { speed: 70 });
    await inbox.expect({ action: "update", scope: "in", transition: "stay", result: { _id: "1", _source: { speed: 70 }, _updatedFields: ["speed"] } });
    await k.document.replace(...at, "1", { speed: 20 });
    await inbox.expect({ action: "replace", scope: "out", event: "write", result: { _id: "1" } });
    await k.document.createOrReplace(...at, "1", { speed: 80 });
    await inbox.expect({ action: "replace", scope: "in", transition: "enter" });
    await k.document.delete(...at, "1");
    await inbox.expect({ action: "delete", scope: "out", event: "delete", result: { _id: "1" } });
  },

  async "options say which scope is told, and equal filters share a room"(w) {
    const k = await w.connect();
    const at = ["fleet", "options"];
    const [into, out, none] = [new Inbox(), new Inbox(), new Inbox()];
    const room = await k.realtime.subscribe(...at, fast, into.add, { scope: "in" });
    match(await k.realtime.subscribe(...at, { range: { speed: { gt: 50.0 } } }, out.add, { scope: "out" }), room);
    match(await k.realtime.subscribe(...at, fast, none.add, { scope: "none", users: "out" }), room);
    match(await k.realtime.count(room), 1);
    match((await k.query({ controller: "realtime", action: "list" })).result, { fleet: { options: { [room]: 1 } } });
    await k.document.create(...at, { speed: 60 }, "1");
    await k.document.delete(...at, "1");
    await into.expect({ scope: "in", result: { _id: "1" } });
    await out.expect({ scope: "out", result: { _id: "1" } });
    match([into.told, out.told, none.told], [[], [], []]);
    await refused(k.realtime.subscribe(...at, fast, () => {}, { scope: "all of it" }), { id: "core.realtime.invalid_scope", code: 0x00010004, status: 400 });
    await refused(k.realtime.subscribe(...at, fast, () => {}, { users: "some" }), { id: "core.realtime.invalid_users", status: 400 });
    await refused(k.realtime.subscribe(...at, { term: { a: 1 } }, () => {}), { id: "api.assert.koncorde_dsl_error", code: 0x0201000e, status: 400 });
    await refused(k.query({ controller: "realtime", action: "subscribe", index: "a", collection: "b" }), { id: "api.assert.body_required", status: 400 });
    await refused(k.query({ controller: "realtime", action: "subscribe", collection: "b", body: {} }), { id: "api.assert.missing_argument", status: 400 });
    await k.realtime.unsubscribe(room);
    await refused(k.realtime.unsubscribe(room), { id: "core.realtime.not_subscribed", code: 0x00010003, status: 412, message: (m) => m.endsWith(`has not subscribed to "${room}".`) });
    match(await k.realtime.count(room), 0);
  },

  async "users are told of who comes and goes, with volatile data"(w) {
    const [a, b, c] = [await w.connect(), await w.connect(), await w.connect()];
    const at = ["fleet", "users"];
    const inbox = new Inbox();
    const room = await a.realtime.subscribe(...at, fast, inbox.add, { users: "all", volatile: { name: "ada" } });
    await b.realtime.subscribe(...at, fast, () => {}, { volatile: { name: "bob" } });
    const told = await inbox.next();
    match(told, { type: "user", status: 200, user: "in", result: { count: 2 }, index: "fleet", collection: "users", controller: "realtime", action: "subscribe", protocol: "websocket", volatile: { name: "bob", sdkInstanceId: b.protocol.id } });
    await c.realtime.subscribe(...at, fast, () => {}, { volatile: { name: "cleo" } });
    await inbox.expect({ user: "in", result: { count: 3 }, volatile: { name: "cleo" } });
    await b.realtime.unsubscribe(room);
    await inbox.expect({ type: "user", user: "out", action: "unsubscribe", result: { count: 2 }, volatile: { name: "bob" } });
    c.disconnect();
    await inbox.expect({ user: "out", result: { count: 1 }, volatile: { name: "cleo" } });
    await a.realtime.unsubscribe(room);
  },

  async "join is to subscribe by the id of a room"(w) {
    const [a, b] = [await w.connect(), await w.connect()];
    const room = await a.realtime.subscribe("fleet", "join", fast, () => {});
    const { result } = await b.query({ controller: "realtime", action: "join", body: { roomId: room } });
    match(result, { roomId: room });
    const inbox = new Inbox();
    b.protocol.on(result.channel, inbox.add);
    await a.document.create("fleet", "join", { speed: 60 }, "1");
    await inbox.expect({ room: result.channel, result: { _id: "1" } });
    await b.realtime.unsubscribe(room);
    await refused(b.query({ controller: "realtime", action: "join", body: { roomId: "nowhere" } }), { id: "core.realtime.room_not_found", status: 404 });
  },

  async "messages are published that are stored nowhere"(w) {
    const [a, b] = [await w.connect(), await w.connect()];
    const inbox = new Inbox();
    await a.realtime.subscribe("chat", "room", { equals: { to: "all" } }, inbox.add);
    match(await b.realtime.publish("chat", "room", { to: "all", text: "hi" }), true);
    match(await b.realtime.publish("chat", "room", { to: "you" }), true);
    await b.realtime.publish("chat", "room", { to: "all", text: "named" }, { _id: "m1" });
    await inbox.expect({ type: "document", action: "publish", event: "publish", scope: "in", controller: "realtime", result: { _id: (id) => id === undefined, _source: { text: "hi", _kuzzle_info: { author: "-1" } } } });
    await inbox.expect({ result: { _id: "m1", _source: { text: "named" } } });
    match(await b.document.exists("chat", "room", "m1"), false);
    await refused(b.realtime.publish("chat", "room"), { id: "api.assert.body_required", status: 400 });
  },

  async "who does not subscribe to himself is not told of what he does"(w) {
    const [a, b] = [await w.connect(), await w.connect()];
    const inbox = new Inbox();
    await a.realtime.subscribe("fleet", "self", {}, inbox.add, { subscribeToSelf: false });
    await a.document.create("fleet", "self", {}, "mine");
    await b.document.create("fleet", "self", {}, "theirs", { volatile: { by: "b" } });
    await inbox.expect({ result: { _id: "theirs" }, volatile: { by: "b", sdkInstanceId: b.protocol.id } });
  },

  async "filters on metadata and on the id"(w) {
    const k = await w.connect();
    const inbox = new Inbox();
    await k.realtime.subscribe("fleet", "meta", { and: [{ equals: { "_kuzzle_info.author": "-1" } }, { ids: { values: ["2"] } }] }, inbox.add);
    await k.document.mCreate("fleet", "meta", [{ _id: "1", body: {} }, { _id: "2", body: {} }]);
    await inbox.expect({ result: { _id: "2" } });
  },

  async "observed documents keep themselves in sync"(w) {
    const [a, b] = [await w.connect(), await w.connect()];
    const at = ["fleet", "observed"];
    await b.document.mCreate(...at, ["1", "2", "3"].map((id) => ({ _id: id, body: { n: 1, id } })));
    const observer = new w.Observer(a);
    const one = await observer.get(...at, "1");
    const { successes, errors } = await observer.mGet(...at, ["2", "9"]);
    match(errors, ["9"]);
    const found = await observer.search(...at, { query: { equals: { id: "3" } } });
    await b.document.update(...at, "1", { n: 2 });
    await b.document.update(...at, "2", { n: 3 });
    await b.document.update(...at, "3", { n: 4 });
    await until(() => one._source.n === 2 && successes[0]._source.n === 3 && found.hits[0]._source.n === 4, "the documents to be in sync");
    await b.document.delete(...at, "1");
    await until(() => one.deleted, "the document to be deleted");
    // The client subscribes anew when a document is gone, and knows nothing of what is written meanwhile.
    await until(async () => {
      await b.document.update(...at, "2", { n: 5 });
      return successes[0]._source.n === 5;
    }, "the other ones to go on");
    await observer.stop();
    await b.document.update(...at, "2", { n: 6 });
    match(successes[0]._source.n, 5);
  },
};
