// Who may do what.
import { Inbox, match, refused } from "./world.js";

export const users = [["ada", "acme"], ["bob", "duck"]];

export const settings = {
  "ambit.yaml": "users: users.txt\naccess: policy.yaml\nanonymous: all\npocketbase: {index: fleet}\n",
  "policy.yaml": `
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
`,
};

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
    await world.broker.ambit("ban", "create", "--user", "bob", "--data", "data");
    const response = () => fetch(`${world.url}/api/realtime`, { method: "POST", body: JSON.stringify({ clientId, subscriptions: [] }) });
    for (const end = Date.now() + 20_000; (await response()).status !== 404; ) {
      if (Date.now() > end) throw new Error("the stream does not end");
    }
  },
};
