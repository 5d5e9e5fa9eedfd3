// Who asks, and what he may: with users, a policy, and nobody let in who does not sign in.
import { Inbox, match, refused, until } from "./world.js";

export const settings = {
  "ambit.yaml": "anonymous: none\nusers: users.txt\naccess: policy.yaml\n",
  "policy.yaml": `roles:
  user:
    api: ["*:*"]
    collections:
      fleet/trucks:
        list: {equals: {tenant: {$auth: tenant}}}
        view: {equals: {tenant: {$auth: tenant}}}
        create: {equals: {tenant: {$auth: tenant}}}
        update: {equals: {tenant: {$auth: tenant}}}
  boss:
    api: ["*:*"]
    collections:
      fleet/trucks: {list: {}, view: {}, create: {}, update: {}, delete: {}}
`,
};

export const auth = {
  async "nobody asks for anything but to sign in"(w) {
    const k = await w.connect();
    await refused(k.query({ controller: "server", action: "now", Controller: "auth", Action: "login", jwt: null }), { status: 401 });
    await refused(k.query({ controller: "server", action: "now", jwt: "" }), { status: 401 });
    await refused(k.server.now(), { id: "security.rights.unauthorized", code: 0x07030001, status: 401 });
    await refused(k.realtime.subscribe("fleet", "trucks", {}, () => {}), { status: 401 });
    await refused(k.auth.login("local", { username: "ada", password: "a guess" }), { id: "plugin.strategy.missing_user", status: 401 });
    await refused(k.auth.login("github", {}), { id: "security.credentials.unknown_strategy", status: 400 });
    match(await k.auth.checkToken("abc"), { valid: false, state: "Invalid token." });
    match(await k.query({ controller: "server", action: "now", jwt: "abc" }).catch((e) => e.id), "security.token.invalid");
  },

  async "a user signs in, stays signed in by another token, and signs out"(w) {
    const k = await w.connect();
    const first = await k.auth.login("local", { username: "ada", password: "secret ada" }, "1h");
    match(await k.auth.checkToken(), { valid: true, kuid: "ada", expiresAt: (at) => at > Date.now() });
    match(await k.auth.getCurrentUser(), { _id: "ada" });
    match(await k.auth.getStrategies(), ["local"]);
    match(await k.auth.refreshToken({ expiresIn: "2h" }), { _id: "ada", jwt: (jwt) => jwt !== first, ttl: (ttl) => ttl > 3_600_000 });
    const inbox = new Inbox();
    await k.realtime.subscribe("fleet", "trucks", {}, inbox.add);
    await k.document.create("fleet", "trucks", { tenant: "acme" }, "1");
    await inbox.expect({ result: { _source: { _kuzzle_info: { author: "ada" } } } });
    const token = k.jwt;
    await k.auth.logout();
    match(await k.auth.checkToken(token), { valid: false });
    await refused(k.server.now(), { status: 401 });
    const boss = await w.connect();
    await boss.auth.login("local", { username: "eve", password: "secret eve" });
    await boss.document.update("fleet", "trucks", "1", { n: 1 });
    match(await boss.query({ controller: "realtime", action: "list" }), { result: (all) => Object.keys(all).length === 0 });
    match(inbox.told, []);
    await boss.document.delete("fleet", "trucks", "1");
  },

  async "a subscription is that of who asked for it"(w) {
    const [a, b] = [await w.connect(), await w.connect()];
    await a.auth.login("local", { username: "ada", password: "secret ada" });
    await b.auth.login("local", { username: "bob", password: "secret bob" });
    const [adas, bobs, both] = [new Inbox(), new Inbox(), new Inbox()];
    await a.realtime.subscribe("fleet", "trucks", {}, adas.add);
    await b.realtime.subscribe("fleet", "trucks", {}, bobs.add);
    // One connection may ask as one after the other.
    await a.auth.login("local", { username: "eve", password: "secret eve" });
    await a.realtime.subscribe("fleet", "trucks", { exists: "tenant" }, both.add);
    await refused(b.document.create("fleet", "trucks", { tenant: "acme" }, "2"), { id: "security.rights.forbidden", status: 403 });
    await b.document.create("fleet", "trucks", { tenant: "duck" }, "2");
    await a.document.create("fleet", "trucks", { tenant: "acme" }, "1");
    await adas.expect({ result: { _id: "1" } });
    await bobs.expect({ result: { _id: "2" } });
    await both.expect({ result: { _id: "2" } });
    await both.expect({ result: { _id: "1" } });
    await refused(b.document.get("fleet", "trucks", "1"), { status: 404 });
    await a.document.mDelete("fleet", "trucks", ["1", "2"]);
  },

  async "requests over MQTT 3.1.1 are those of who signs in there"(w) {
    const at = { index: "fleet", collection: "trucks" };
    const ask = async (as, request) => {
      const told = await w.outside.mosquitto("mosquitto_rr", "-V", "311", "-W", "20", ...as, "-t", "Kuzzle/request", "-e", "Kuzzle/response", "-m", JSON.stringify(request));
      return JSON.parse(told[0]);
    };
    const ada = ["-u", "ada", "-P", "secret ada"];
    const nobody = await ask([], { controller: "server", action: "now" }).then(() => "let in", () => "refused");
    match(nobody, "refused");
    match(await ask(ada, { requestId: "m1", controller: "document", action: "create", ...at, _id: "m1", body: { tenant: "acme" } }), {
      requestId: "m1", status: 200, error: null, result: { _id: "m1", _source: { _kuzzle_info: { author: "ada" } } },
    });
    match(await ask(ada, { controller: "document", action: "create", ...at, _id: "m2", body: { tenant: "duck" } }), { status: 403, error: { id: "security.rights.forbidden" } });
    const { result } = await ask(ada, { controller: "auth", action: "login", body: { username: "bob", password: "secret bob" } });
    match(await ask(ada, { controller: "auth", action: "getCurrentUser", jwt: result.jwt }), { result: { _id: "bob" } });
    match(await ask(["-u", "bob", "-P", result.jwt], { controller: "auth", action: "getCurrentUser" }), { result: { _id: "bob" } });
    match(await ask(ada, { controller: "document", action: "get", ...at, _id: "m1", jwt: "abc" }), { status: 401, error: { id: "security.token.invalid" } });
    const eve = await w.connect();
    await eve.auth.login("local", { username: "eve", password: "secret eve" });
    await eve.document.delete("fleet", "trucks", "m1");
  },

  async "an API key signs in, until it is revoked"(w) {
    const [k, device] = [await w.connect(), await w.connect()];
    await k.auth.login("local", { username: "ada", password: "secret ada" });
    const made = await k.auth.createApiKey("a device", { expiresIn: "1h" });
    match(made, { _source: { userId: "ada", token: (t) => t.startsWith("kapikey-") } });
    device.setAPIKey(made._source.token);
    match(await device.auth.checkToken(), { valid: true, kuid: "ada" });
    match(await device.auth.getCurrentUser(), { _id: "ada" });
    let expired = false;
    device.on("tokenExpired", () => (expired = true));
    await device.realtime.subscribe("fleet", "trucks", {}, () => {});
    match(await k.auth.searchApiKeys(), { total: 1, hits: [{ _id: made._id }] });
    await k.auth.deleteApiKey(made._id);
    await until(() => expired, "the subscriptions by the key to end");
    device.setAPIKey(made._source.token);
    await refused(device.server.now(), { id: "security.token.invalid", status: 401 });
  },

  async "TokenExpired ends subscriptions, and the connection goes on"(w) {
    const k = await w.connect();
    let expired = false;
    k.on("tokenExpired", () => (expired = true));
    await k.auth.login("local", { username: "ada", password: "secret ada" }, 1500);
    const inbox = new Inbox();
    await k.realtime.subscribe("fleet", "trucks", {}, inbox.add);
    await until(() => expired, "TokenExpired");
    match(k.jwt, null);
    await k.auth.login("local", { username: "ada", password: "secret ada" });
    match((await k.query({ controller: "realtime", action: "list" })).result, (all) => Object.keys(all).length === 0);
  },

  async "a token that was refreshed in time does not expire"(w) {
    const k = await w.connect();
    let expired = false;
    k.on("tokenExpired", () => (expired = true));
    await k.auth.login("local", { username: "ada", password: "secret ada" }, 2000);
    const inbox = new Inbox();
    await k.realtime.subscribe("fleet", "trucks", {}, inbox.add);
    await k.auth.refreshToken({ expiresIn: "1h" });
    await k.server.now(); // with the new token
    const boss = await w.connect();
    await boss.auth.login("local", { username: "eve", password: "secret eve" }, 2500);
    await boss.realtime.subscribe("fleet", "trucks", {}, () => {});
    await new Promise((done) => boss.on("tokenExpired", done)); // later than the first one would have
    match(expired, false);
    await k.document.create("fleet", "trucks", { tenant: "acme" }, "3");
    await inbox.expect({ result: { _id: "3" } });
  },

  async "who is banned or disconnected is gone, and may come back"(w) {
    const [root, bob] = [await w.connect(), await w.connect()];
    await root.auth.login("local", { username: "root", password: "secret root" });
    await bob.auth.login("local", { username: "bob", password: "secret bob" });
    await bob.realtime.subscribe("fleet", "trucks", {}, () => {});
    const bobs = (await root.query({ controller: "client", action: "list" })).result.hits.find((c) => c.user === "bob");
    match(bobs, { _id: (id) => id.startsWith("websocket-"), connected: true, rooms: 1, listener: "http" });
    await refused(bob.query({ controller: "client", action: "list" }), { id: "security.rights.forbidden", status: 403 });
    const back = new Promise((done) => bob.on("reconnected", done));
    await root.query({ controller: "client", action: "disconnect", _id: bobs._id, reason: "bye" });
    await back;
    match(await bob.auth.checkToken(), { valid: true });
    await bob.server.now();
    const gone = new Promise((done) => bob.on("networkError", done));
    await root.query({ controller: "ban", action: "create", user: "bob", expiresIn: "1m" });
    await gone;
    await refused((await w.connect()).auth.login("local", { username: "bob", password: "secret bob" }), { id: "security.rights.forbidden", status: 403 });
    await root.query({ controller: "ban", action: "delete", _id: "user:bob" });
  },
};
