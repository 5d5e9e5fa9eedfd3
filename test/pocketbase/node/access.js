// Who may do what.
import { Inbox, match, refused, until } from "./world.js";

export const users = [["ada", "acme"], ["bob", "duck"]];

export const settings = {
  "ambit.yaml": "users: users.txt\naccess: policy.yaml\nanonymous: all\npocketbase: {index: fleet}\n",
  "policy.yaml": policy("{equals: {tenant: {$auth: tenant}}}"),
};

/** A policy whose rule for who views a van is this one. */
function policy(vans) {
  return `
roles:
  anonymous:
    topics: []
    api: ["auth:*"]
  user:
    topics:
      - {allow: [publish, subscribe], topic: "fleet/#"}
    api: ["*:*"]
    collections:
      fleet/trucks: {list: {equals: {tenant: {$auth: tenant}}}, view: {equals: {tenant: {$auth: tenant}}}, create: {}, update: {}, delete: {}, hide: [phone]}
      fleet/vans: {view: ${vans}, create: {}, update: {}, hide: [phone]}
      fleet/bikes: {list: {}, create: {}}
`;
}

const signedIn = async (world, user) => {
  const pb = world.client();
  await pb.collection("users").authWithPassword(user, `secret ${user}`);
  return pb;
};

export const access = {
  async "who signs in has a token that is refreshed"(world) {
    const pb = await signedIn(world, "ada");
    match(pb.authStore, { isValid: true, record: { id: "ada", collectionName: "users" } });
    const fresh = await pb.collection("users").authRefresh();
    match(fresh, { record: { id: "ada" }, token: (t) => t.length > 20 });
    match(pb.authStore.isValid, true);
    await pb.collection("trucks").create({ id: "0", tenant: "acme" });
  },

  async "who does not is refused"(world) {
    const pb = world.client();
    await refused(pb.collection("users").authWithPassword("ada", "wrong"), 400, "Failed to authenticate.");
    await refused(pb.collection("users").authWithPassword("ada", ""), 400, "validation_required");
    await refused(pb.collection("users").authRefresh(), 401);
    await refused(pb.collection("_superusers").authWithPassword("ada", "secret ada"), 404);
    await refused(pb.collection("trucks").getList(1, 1), 403);
    await refused(pb.collection("trucks").subscribe("*", () => {}), 403);
    pb.authStore.save("x", null);
    await refused(pb.collection("trucks").getList(1, 1), 401);
  },

  async "rules hold for lists, views and subscriptions"(world) {
    const [ada, bob] = [await signedIn(world, "ada"), await signedIn(world, "bob")];
    const inbox = new Inbox();
    await ada.collection("trucks").subscribe("*", inbox.add);
    await bob.collection("trucks").create({ id: "b1", tenant: "duck", phone: "1" });
    await bob.collection("trucks").create({ id: "a1", tenant: "acme", phone: "2" });
    await inbox.expect({ action: "create", record: { id: "a1", tenant: "acme", phone: undefined } });
    match((await ada.collection("trucks").getFullList({ filter: "id ~ '1'" })).map((r) => r.id), ["a1"]);
    await refused(ada.collection("trucks").getOne("b1"), 404);
    await refused(ada.collection("trucks").getList(1, 1, { filter: "phone = '1'" }), 403);
    await refused(ada.collection("trucks").getList(1, 1, { sort: "phone" }), 403);
  },

  async "a record is under the rule view, and a collection under the rule list"(world) {
    const [ada, bob] = [await signedIn(world, "ada"), await signedIn(world, "bob")];
    const [mine, theirs] = [new Inbox(), new Inbox()];
    await refused(ada.collection("vans").getList(1, 1), 403);
    for (const [collection, topic, options] of [["vans", "*"], ["bikes", "b1"], ["vans", "v1", { filter: "phone = '1'" }]]) {
      const pb = await signedIn(world, "ada"); // which would ask for the same again with the next subscription
      await refused(pb.collection(collection).subscribe(topic, () => {}, options), 403);
    }
    await ada.collection("bikes").subscribe("*", mine.add);
    await bob.collection("bikes").create({ id: "b1" }).catch(() => {}); // who may not view it is not shown it
    await mine.expect({ action: "create", record: { id: "b1" } });
    await ada.collection("vans").subscribe("v1", mine.add);
    await ada.collection("vans").subscribe("v2", theirs.add, { fields: "id,tenant", filter: "load != 'none'" });
    await bob.collection("vans").create({ id: "v3", tenant: "acme" }).catch(() => {});
    await bob.collection("vans").create({ id: "v2", tenant: "duck" });
    await ada.collection("vans").create({ id: "v1", tenant: "acme", phone: "1" });
    await mine.expect({ action: "create", record: { id: "v1", tenant: "acme", phone: undefined } });
    await bob.collection("vans").update("v2", { tenant: "acme" }).catch(() => {});
    match(JSON.stringify(await theirs.next()), '{"action":"update","record":{"id":"v2","tenant":"acme"}}');
    await ada.collection("vans").update("v2", { tenant: "duck" }).catch(() => {});
    await theirs.expect({ action: "delete", record: { id: "v2" } });
    match([mine.told, theirs.told], [[], []]);
  },

  async "who may view a record no more, or again, is told so"(world) {
    const ada = await signedIn(world, "ada");
    const inbox = new Inbox();
    const vans = ada.collection("vans");
    await vans.create({ id: "w1", tenant: "acme", load: 5 });
    await vans.subscribe("w1", inbox.add, { query: { leave: "leave" } });
    await world.outside.write("policy.yaml", policy("{equals: {tenant: nobody}}"));
    match(JSON.stringify(await inbox.next()), (told) => told.startsWith('{"action":"leave","record":{') && !told.includes("load"));
    await refused(vans.getOne("w1"), 404);
    await world.outside.write("policy.yaml", policy("{}"));
    await inbox.expect({ action: "create", record: { id: "w1", load: 5 } });
    await world.outside.write("policy.yaml", policy("{nothing: true}"));
    await inbox.expect({ action: "leave", record: { id: "w1" } });
    await refused((await signedIn(world, "ada")).collection("vans").subscribe("w2", () => {}), 403);
    await world.outside.write("policy.yaml", settings["policy.yaml"]);
    await inbox.expect({ action: "create", record: { id: "w1" } });
  },

  async "a token that ends ends its stream, and the client is back with the next one"(world) {
    const pb = world.client();
    const login = (expiresIn) => world.outside.ask("auth", "login", { expiresIn, body: { username: "ada", password: "secret ada" } });
    pb.authStore.save((await login("2s")).result.jwt, { id: "ada", collectionName: "users" });
    const inbox = new Inbox();
    await pb.collection("trucks").subscribe("*", inbox.add);
    const { clientId } = pb.realtime;
    await until(() => pb.realtime.clientId !== clientId, "the stream to end");
    await refused(pb.collection("trucks").getList(1, 1), 401);
    pb.authStore.save((await login("1h")).result.jwt, { id: "ada", collectionName: "users" });
    await until(() => pb.realtime.isConnected, "the client to be back");
    await until(async () => {
      await pb.collection("trucks").create({ tenant: "acme" });
      return inbox.told.length > 0;
    }, "an event");
  },

  async "a token that was refreshed in time leaves the stream open"(world) {
    const pb = world.client();
    const { result } = await world.outside.ask("auth", "login", { expiresIn: "3s", body: { username: "ada", password: "secret ada" } });
    pb.authStore.save(result.jwt, { id: "ada", collectionName: "users" });
    const inbox = new Inbox();
    await pb.collection("trucks").subscribe("*", inbox.add);
    const { clientId } = pb.realtime;
    await pb.collection("users").authRefresh();
    await pb.collection("trucks").subscribe("other", () => {}); // with the new token
    const old = world.client();
    old.authStore.save(result.jwt, { id: "ada" });
    await until(() => old.collection("trucks").getList(1, 1).then(() => false, (e) => e.status === 401), "the first token to end");
    await pb.collection("trucks").create({ id: "refreshed", tenant: "acme" });
    await until(() => inbox.told.some((e) => e.record.id === "refreshed"), "the event");
    match(pb.realtime.clientId, clientId);
  },

  async "nobody may become somebody on a connection, and nobody else"(world) {
    const inbox = new Inbox();
    const pb = world.client();
    await pb.realtime.subscribe("PB_CONNECT", () => {});
    const { clientId } = pb.realtime;
    await pb.collection("users").authWithPassword("ada", "secret ada");
    await pb.collection("trucks").subscribe("*", inbox.add);
    match(pb.realtime.clientId, clientId);
    await pb.collection("trucks").create({ id: "n1", tenant: "acme" });
    await inbox.expect({ record: { id: "n1" } });
    await pb.collection("users").authWithPassword("bob", "secret bob");
    await refused(pb.collection("trucks").subscribe("n1", () => {}), 403, "don't match");
  },

  async "who is banned is told no more"(world) {
    const pb = await signedIn(world, "bob");
    await pb.collection("trucks").subscribe("*", () => {});
    const { clientId } = pb.realtime;
    await world.outside.ambit("ban", "create", "--user", "bob", "--data", "data");
    const response = () => fetch(`${world.url}/api/realtime`, { method: "POST", body: JSON.stringify({ clientId, subscriptions: [] }) });
    await until(async () => (await response()).status === 404, "the stream to end");
  },
};
