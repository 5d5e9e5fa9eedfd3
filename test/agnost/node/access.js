// Who comes in, by which key and which session, what he may do, and when it is over.
import { match, refused } from "./world.js";

export const users = [["ada", "staff"], ["bob", "staff"], ["web", "guest"], ["root", "admin", "staff"]];

export const settings = {
  "ambit.yaml": 'anonymous: none\nusers: users.txt\naccess: policy.yaml\norigins: ["127.0.0.1:*"]\nagnost:\n  env: env-1\n  ping_interval: 1s\n',
  "policy.yaml": `roles:
  admin:
    api: ["*:*"]
  staff:
    api: ["auth:*", "channel:*"]
    topics:
      - {allow: [publish, subscribe], topic: "$channel/+/+"}
      - {allow: subscribe, topic: "$users/%u/events"}
  guest:
    api: ["channel:*"]
    topics: [{allow: [publish, subscribe], topic: "$channel/lobby/+"}]
`,
};

/** Signs in, and returns a token. */
async function token(w, user, ttl = "1h") {
  const { result, error } = await w.outside.ask("auth", "login", { body: { username: user, password: `secret ${user}` }, expiresIn: ttl });
  if (error) throw new Error(error.message);
  return result.jwt;
}

/** Makes an API key of a user. */
async function key(w, user, body = {}, expiresIn = "1h") {
  const { result, error } = await w.outside.ask("security", "createApiKey", { userId: user, expiresIn, body }, await token(w, "root"));
  if (error) throw new Error(error.message);
  return { key: result._source.token, id: result._id };
}

const once = (w, auth, options = {}) => w.socket(auth, { reconnection: false, transports: ["websocket"], ...options });

export const access = {
  async "who shows nothing, or something wrong, is told what"(w) {
    await refused(once(w, {}), "missing_api_key");
    await refused(once(w, { apiKey: "ak-of-agnost" }), "invalid_api_key");
    await refused(once(w, { apiKey: "ambit-key-AAAA-BBBB" }), "invalid_api_key");
    const { key: web } = await key(w, "web");
    await refused(once(w, { apiKey: web, session: "abc" }), "invalid_session_token");
    await refused(once(w, { apiKey: web, envId: "env-2" }), "no_environment_found");
    const polled = once(w, { apiKey: "x" }, { transports: ["polling"] });
    await refused(polled, "invalid_api_key");
  },

  async "a key, a session, or both let somebody in"(w) {
    const { key: web } = await key(w, "web");
    for (const auth of [{ apiKey: web }, { session: await token(w, "ada") }, { apiKey: web, session: await token(w, "ada") }]) {
      const socket = await w.connect(auth);
      match(await socket.emitWithAck("join", { channel: "lobby" }), undefined);
      match(await socket.emitWithAck("join", { channel: "office" }), auth.session ? undefined : { error: { code: "not_authorized", event: "join" } });
      match(await socket.emitWithAck("message", { channel: "office", eventName: "say", message: 1 }), auth.session ? undefined : { error: { code: "not_authorized" } });
      match(await socket.emitWithAck("members", { channel: "office" }), auth.session ? (all) => all.length === 1 : { error: { code: "not_authorized" } });
      socket.close();
    }
  },

  async "a key counts where it is for, and until it ends"(w) {
    const { key: elsewhere } = await key(w, "web", { networks: ["192.0.2.0/24"] });
    await refused(once(w, { apiKey: elsewhere }), "ip_not_authorized");
    const { key: page } = await key(w, "web", { origins: ["https://maps.example.com"] });
    await refused(once(w, { apiKey: page }), "domain_not_authorized");
    const { key: short } = await key(w, "web", {}, "2s");
    const socket = await w.connect({ apiKey: short });
    match(await new Promise((done) => socket.once("disconnect", done)), "io server disconnect");
    await refused(once(w, { apiKey: short }), "expired_api_key");
  },

  async "a key that is revoked ends its connections, also beside a session"(w) {
    for (const session of [undefined, await token(w, "ada")]) {
      const made = await key(w, "web");
      const socket = await w.connect({ apiKey: made.key, ...(session && { session }) });
      const ended = new Promise((done) => socket.once("disconnect", done));
      match(await w.outside.ask("security", "deleteApiKey", { userId: "web", _id: made.id }, await token(w, "root")), { status: 200 });
      match(await ended, "io server disconnect");
      await refused(once(w, { apiKey: made.key, ...(session && { session }) }), "invalid_api_key");
    }
  },

  async "a session that ends, or is signed out, ends its connections"(w) {
    const short = await w.connect({ session: await token(w, "ada", "2s") });
    match(await new Promise((done) => short.once("disconnect", done)), "io server disconnect");
    const jwt = await token(w, "ada");
    for (const transports of [["websocket"], ["polling"]]) {
      const session = transports[0] === "polling" ? await token(w, "ada") : jwt;
      const socket = await w.connect({ session }, { transports });
      const ended = new Promise((done) => socket.once("disconnect", done));
      match(await w.outside.ask("auth", "logout", {}, session), { status: 200 });
      match(await ended, "io server disconnect");
      await refused(once(w, { session }), "invalid_session_token");
    }
  },

  async "a user is told of his sessions, and nobody else is"(w) {
    const watch = (...args) => w.outside.mosquitto("mosquitto_sub", "-V", "311", "-i", "ada-1", "-u", "ada", "-P", "secret ada", "-c", "-q", "1", "-t", "$users/ada/events", ...args);
    await watch("-E"); // what is told from here on waits for it
    const [ada, bob] = [await w.connect({ session: await token(w, "ada") }), await w.connect({ session: await token(w, "bob") })];
    const jwt = await token(w, "ada");
    await ada.inbox.expect("user:signin", "user:signin", { userId: "ada", protocol: "http" }, { _id: "ada" });
    await w.outside.ask("auth", "logout", {}, jwt);
    await ada.inbox.expect("user:signout", "user:signout", { userId: "ada" }, { _id: "ada" });
    // Over MQTT connections are told, too: that of mosquitto_sub itself has ended, and comes.
    const lines = (await watch("-C", "5", "-W", "20")).map((line) => JSON.parse(line));
    const own = lines.find((line) => line.protocol === "agnost");
    match(own, { event: "signin", what: "connection", clientId: ada.id });
    bob.emit("message", { channel: "x", eventName: "user:signin", message: 1 });
    await bob.inbox.expect("error", { code: "invalid_request_body" });
    bob.inbox.empty();
  },

  async "who may not hear everyone is told what he may hear"(w) {
    const { key: web } = await key(w, "web");
    const [guest, ada] = [await w.connect({ apiKey: web }), await w.connect({ session: await token(w, "ada") })];
    await guest.emitWithAck("join", { channel: "lobby", echo: false });
    match(await guest.emitWithAck("message", { eventName: "news", message: 1 }), { error: { code: "not_authorized" } });
    await ada.emitWithAck("message", { eventName: "news", message: 1 });
    await ada.inbox.expect("news", { channel: null });
    await ada.emitWithAck("message", { channel: "lobby", eventName: "say", message: 1 });
    await guest.inbox.expect("say", { channel: "lobby" });
    guest.inbox.empty();
  },

  async "Altogic's client shows its key and its session, and is refused the same"(w) {
    const { key: web } = await key(w, "web");
    const wrong = w.createClient(`http://engine.ambit.localhost:${w.port}/e:env-1`, "a guess");
    w.sockets.push(wrong.realtime);
    match((await new Promise((done) => wrong.realtime.onError(done))).data.code, "invalid_api_key");
    wrong.realtime.close();
    const url = `http://engine.ambit.localhost:${w.port}/e:env-1`;
    const guest = await w.altogic({}, url, web);
    guest.realtime.join("lobby");
    await guest.inbox.expect("channel:join", { channel: "lobby" });
    match(await guest.realtime.getMembers("lobby"), { errors: null, data: (all) => all.length === 1 });
    match(await guest.realtime.getMembers("office"), { data: null, errors: { status: 403, items: [{ code: "not_authorized" }] } });
    const ada = await w.altogic({}, url, web, await token(w, "ada"));
    match(await ada.realtime.getMembers("office"), { errors: null, data: [] });
    const told = new Promise((done) => ada.realtime.onUserEvent((...args) => done(args)));
    const jwt = await token(w, "ada");
    match(await told, ["user:signin", { userId: "ada" }, { _id: "ada" }]);
    await w.outside.ask("auth", "logout", {}, jwt);
    ada.auth.setSession({ token: jwt });
    match(await ada.realtime.getMembers("lobby"), { data: null, errors: { status: 401, items: [{ code: "invalid_session_token" }] } });
    match(ada.auth.getSession(), null); // the client has understood
  },
};
