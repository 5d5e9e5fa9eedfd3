// Realtime, as PocketBase's guides show it, and what it does not do.
import { Inbox, match, members, refused, until } from "./world.js";

export const settings = { "ambit.yaml": "pocketbase: {index: fleet}\n" };

export const needsNode = ["a page of another host may ask if it is one of the origins", "who comes from another address is no client of the stream", "a thousand clients are told at once"];

/** What a page does of which the broker knows nothing. */
export async function foreign(world) {
  const pb = world.client();
  await refused(pb.collection("trucks").getList(1, 1), 0);
  await refused(pb.collection("trucks").subscribe("*", () => {}), 0);
  match(pb.realtime.isConnected, false);
}

export const realtime = {
  async "a page of another host may ask if it is one of the origins"(world) {
    for (const [origin, allowed] of [["http://app.example", true], ["http://other.example", false]]) {
      for (const [method, path] of [["GET", "realtime"], ["POST", "realtime"], ["PATCH", "collections/trucks/records/1"], ["POST", "collections/users/auth-refresh"]]) {
        const headers = { Origin: origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,content-type,x-app" };
        const response = await fetch(`${world.url}/api/${path}`, { method: "OPTIONS", headers });
        match([response.status, response.headers.get("Access-Control-Allow-Origin")], allowed ? [204, origin] : [403, null], `${origin} ${path}`);
        if (!allowed) continue;
        match(response.headers.get("Access-Control-Allow-Methods"), (all) => all.split(", ").includes(method));
        match(response.headers.get("Access-Control-Allow-Headers"), (all) => ["authorization", "content-type", "x-app"].every((h) => all.toLowerCase().includes(h)));
        match(response.headers.get("Vary"), (all) => all.includes("Origin"));
      }
      const stop = new AbortController();
      const stream = await fetch(`${world.url}/api/realtime`, { headers: { Origin: origin }, signal: stop.signal });
      match([stream.status, stream.headers.get("Access-Control-Allow-Origin")], allowed ? [200, origin] : [403, null]);
      stop.abort();
    }
  },

  async "who comes from another address is no client of the stream"(world) {
    const http = await import("node:http");
    const pb = world.client();
    await world.records(pb).subscribe("*", () => {});
    const { port } = new URL(world.url);
    const post = (localAddress) => new Promise((done, fail) => {
      const request = http.request({ host: "127.0.0.1", port, localAddress, method: "POST", path: "/api/realtime" }, (response) => {
        let text = "";
        response.on("data", (more) => (text += more)).on("end", () => done([response.statusCode, text]));
      });
      request.on("error", fail).end(JSON.stringify({ clientId: pb.realtime.clientId, subscriptions: [] }));
    });
    match(await post("127.0.0.2"), [400, (text) => JSON.parse(text).message === "Invalid realtime client."]);
    match(await post("127.0.0.1"), [204, ""]);
  },

  async "a thousand clients are told at once"(world) {
    const trucks = world.records();
    const clients = Array.from({ length: 1000 }, () => world.client());
    const inboxes = clients.map(() => new Inbox());
    for (let i = 0; i < clients.length; i += 50) { // all at once, Node.js takes seconds, in which it does not see that a connection has ended
      await Promise.all(clients.slice(i, i + 50).map((pb, j) => world.records(pb).subscribe("*", inboxes[i + j].add, { filter: "n > 0" })));
    }
    for (let n = 1; n <= 3; n++) await world.publish("1", { n });
    for (const inbox of inboxes) for (let n = 1; n <= 3; n++) await inbox.expect({ action: n === 1 ? "create" : "update", record: { id: "1", n } });
    for (const pb of clients) pb.realtime.unsubscribe();
    await until(async () => {
      const { result } = await world.outside.ask("realtime", "list");
      return !result.fleet?.[world.collection];
    }, "all to have left their room");
    await trucks.delete("1");
  },

  async "a collection is subscribed to, and all of it is told"(world) {
    const inbox = new Inbox();
    const trucks = world.records();
    await trucks.subscribe("*", inbox.add);
    await trucks.create({ id: "1", speed: 60 });
    await inbox.expect({ action: "create", record: { id: "1", speed: 60, collectionName: world.collection, collectionId: world.collection } });
    await trucks.update("1", { speed: 70 });
    const e = await inbox.next();
    match(e, { action: "update", record: { id: "1", speed: 70 } });
    members(e.record, "id", "collectionId", "collectionName", "created", "updated", "speed");
    await trucks.delete("1");
    await inbox.expect({ action: "delete", record: { id: "1", speed: 70 } });
  },

  async "a record is subscribed to, and no other is told"(world) {
    const inbox = new Inbox();
    const trucks = world.records();
    await trucks.subscribe("1", inbox.add);
    await trucks.create({ id: "2", speed: 60 });
    await trucks.create({ id: "1", speed: 60 });
    await inbox.expect({ action: "create", record: { id: "1" } });
  },

  async "a device is heard, and its document that is cleared"(world) {
    const inbox = new Inbox();
    await world.records().subscribe("*", inbox.add);
    await world.publish("7", { speed: 60 });
    await inbox.expect({ action: "create", record: { id: "7", speed: 60 } });
    await world.publish("7", { speed: 61, at: { lat: 1, lon: 2 } }); // on several lines
    await inbox.expect({ action: "update", record: { speed: 61, at: { lat: 1, lon: 2 } } });
    await world.outside.ask("document", "delete", { index: "fleet", collection: world.collection, _id: "7" });
    await inbox.expect({ action: "delete", record: { id: "7" } });
  },

  async "a record that leaves the filter is told as deleted, as left, or not"(world) {
    const [deleted, left, silent] = [new Inbox(), new Inbox(), new Inbox()];
    const trucks = world.records();
    await trucks.subscribe("*", deleted.add, { filter: "speed > 50" });
    await trucks.subscribe("*", left.add, { filter: "speed > 50", query: { leave: "leave" } });
    await trucks.subscribe("*", silent.add, { filter: "speed > 50", query: { leave: "none" } });
    await world.publish("1", { speed: 10 });
    await world.publish("1", { speed: 60 });
    await world.publish("1", { speed: 20 });
    await world.publish("2", { speed: 90 });
    for (const [inbox, ...actions] of [[deleted, "update", "delete", "create"], [left, "update", "leave", "create"], [silent, "update", "create"]]) {
      for (const action of actions) await inbox.expect({ action });
    }
  },

  async "options: a filter, fields and headers"(world) {
    const inbox = new Inbox();
    const trucks = world.records();
    await trucks.subscribe("*", inbox.add, { filter: "plate ~ 'am' && speed >= 60", fields: "id,speed", headers: { "X-Token": "a" } });
    await trucks.create({ id: "1", speed: 60, plate: "X" });
    await trucks.create({ id: "2", speed: 60, plate: "M-AM" });
    const e = await inbox.next();
    match(JSON.stringify(e), '{"action":"create","record":{"id":"2","speed":60}}');
  },

  async "who unsubscribes is told no more"(world) {
    const [one, all] = [new Inbox(), new Inbox()];
    const pb = world.client();
    const trucks = world.records(pb);
    const end = await trucks.subscribe("*", all.add);
    await trucks.subscribe("1", one.add);
    await end();
    await trucks.create({ id: "2" });
    await trucks.create({ id: "1" });
    await one.expect({ record: { id: "1" } });
    match(all.told, []);
    await trucks.unsubscribe("1");
    match(pb.realtime.isConnected, false);
    await trucks.subscribe("*", all.add);
    await trucks.update("2", { a: 1 });
    await all.expect({ action: "update", record: { id: "2", a: 1 } });
  },

  async "PB_CONNECT can be listened to"(world) {
    const inbox = new Inbox();
    const pb = world.client();
    await pb.realtime.subscribe("PB_CONNECT", inbox.add);
    await world.records(pb).subscribe("*", () => {});
    match(pb.realtime.clientId.length, 40);
  },

  async "after the broker was killed the client is back by itself"(world) {
    const inbox = new Inbox();
    const pb = world.client();
    await world.records(pb).subscribe("*", inbox.add, { filter: "speed > 50" });
    const one = new Inbox();
    await world.records(pb).subscribe("1", one.add, { fields: "id" });
    const before = pb.realtime.clientId;
    await world.outside.kill();
    await world.outside.start();
    await until(() => pb.realtime.isConnected && pb.realtime.clientId !== before, "the client to be back");
    await until(async () => {
      await world.publish("1", { speed: 60 });
      return inbox.told.length > 0 && one.told.length > 0; // it subscribes to one after the other
    }, "an event");
    await inbox.expect({ record: { id: "1", speed: 60 } });
    match(JSON.stringify((await one.next()).record), '{"id":"1"}');
  },

  async "what cannot be subscribed to is refused, and the rest stays"(world) {
    const inbox = new Inbox();
    const pb = world.client();
    const trucks = world.records(pb);
    await trucks.subscribe("*", inbox.add);
    const { clientId } = pb.realtime;
    const post = async (body) => {
      const response = await fetch(`${world.url}/api/realtime`, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
      return [response.status, response.status === 204 ? null : await response.json()];
    };
    match(await post({ subscriptions: [] }), [400, { status: 400, data: { clientId: { code: "validation_required" } } }]);
    match(await post({ clientId: "x", subscriptions: [] }), [404, { status: 404, message: "Missing or invalid client id.", data: {} }]);
    match(await post({ clientId: "x".repeat(300) }), [400, { data: { clientId: { code: "validation_length_out_of_range" } } }]);
    match(await post({ clientId, subscriptions: Array(1001).fill("a/*") }), [400, { data: { subscriptions: {} } }]);
    match(await post({ clientId, subscriptions: ["x".repeat(2501)] }), [400, { data: { subscriptions: {} } }]);
    match(await post({ clientId, subscriptions: "x" }), [400, { data: { subscriptions: {} } }]);
    const options = encodeURIComponent(JSON.stringify({ query: { filter: "a >" } }));
    match(await post({ clientId, subscriptions: [`${world.collection}/*`, `${world.collection}/*?options=${options}`] }), [400, { message: (m) => m.includes("at position 3") }]);
    match(await post({ clientId, subscriptions: [`${world.collection}/*?options={`] }), [400, {}]);
    await trucks.create({ id: "1" });
    await inbox.expect({ record: { id: "1" } });
    match(await post({ clientId, subscriptions: [`${world.collection}/2`] }), [204, null]);
    await refused(trucks.subscribe("*", () => {}, { query: { leave: "sideways" } }), 400, "leaves the filter");
  },
};
