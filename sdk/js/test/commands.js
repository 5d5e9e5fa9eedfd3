// What the tests tell a client to do, in Node.js and in a page.
import { connect } from "../dist/index.js";

/** Connects, and returns what runs a command. tell is told of what is observed. */
export async function open(url, version, tell, { login, ...options } = {}) {
  if (login) options.password = async () => (await (await fetch(login.url, { method: "POST", body: JSON.stringify(login.request) })).json()).result.jwt;
  const ambit = await connect(url, { version, reconnectPeriod: 50, ...options });
  const known = new Map();
  const heard = [];
  const hear = (line) => {
    heard.push(line);
    tell({ name: "connection", state: { hits: [], total: 0, told: heard } });
  };
  ambit.connection.on("expired", () => hear("expired"));
  ambit.connection.on("error", (e) => e.id === "client.refused" && hear(`refused ${e.details.code}`));

  const observed = ({ name, index, collection, get, mGet, search, size }) => {
    if (get) return ambit.observe.get(index, collection, get);
    if (mGet) return ambit.observe.mGet(index, collection, mGet);
    return ambit.observe.search(index, collection, search, { size });
  };

  const commands = {
    async observe(c) {
      const o = observed(c);
      const told = [];
      o.on("change", (id, changes) => told.push(`change ${id} ${text(changes)}`));
      o.on("delete", (id) => told.push(`delete ${id}`));
      o.on("gap", () => told.push("gap"));
      o.on("error", (e) => told.push(`error ${e.message}`));
      o.on("update", () => tell({ name: c.name, state: { hits: hits(o), total: o.total ?? hits(o).length, told } }));
      known.set(c.name, o);
      await o.start();
    },
    start: ({ name }) => known.get(name).start(),
    stop: ({ name }) => known.get(name).stop(),
    next: async ({ name, times }) => (await Promise.all(Array.from({ length: times || 1 }, () => known.get(name).next()))).at(-1),
    async subscribe({ name, index, collection, filter, options }) {
      const told = [];
      const say = (line) => {
        told.push(line);
        tell({ name, state: { hits: [], total: 0, told } });
      };
      const s = await ambit.realtime.subscribe(index, collection, filter, (n) => say(line(n)), { ...options, onError: (e) => say(`error ${e.message}`) });
      known.set(name, { stop: () => s.unsubscribe() });
      return s.roomId;
    },
    close: () => ambit.close(),
    publish: ({ topic, payload, options }) => ambit.connection.publish(topic, payload ?? "", options ?? {}),
    request: ({ request }) => ambit.connection.request(request),
    async call({ controller, method, args, name }) {
      if (!name) return (await ambit[controller][method](...args)) ?? null;
      const told = [];
      const { at, line } = listeners[`${controller}.${method}`];
      const say = (...what) => {
        told.push(line(...what));
        tell({ name, state: { hits: [], total: 0, told } });
      };
      known.set(name, { stop: await ambit[controller][method](...args.slice(0, at), say, ...args.slice(at)) });
      return null;
    },
  };
  return (c) => {
    if (!c.detached) return commands[c.do](c);
    const end = (how) => tell({ name: c.detached, state: { hits: [], total: 0, told: [how] } });
    commands[c.do](c).then(
      () => end("done"),
      () => end("fails"),
    );
    return undefined;
  };
}

/** The methods that call back: behind how many arguments that is, and what is seen of it. */
const listeners = {
  "presence.watch": { at: 1, line: (id, standing) => `${id} ${standing.online ? "is" : "was"} there ${JSON.stringify(standing.metadata)}` },
  "presence.room": { at: 3, line: ({ members }) => members.map((m) => m.clientId).join() },
  "channel.listen": { at: 1, line: (e) => `${e.event} ${(e.member ?? e.from).clientId} ${JSON.stringify(e.member ? e.member.metadata : e.message)}` },
};

function line(n) {
  if (n.type === "gap") return "gap";
  if (n.type === "user") return `user ${n.user} ${n.result.count}`;
  return [n.transition ?? n.action, n.result._id, text(plain(n.result._source))].filter((word) => word !== undefined).join(" ");
}

const plain = ({ _kuzzle_info, ...rest }) => rest;

const hits = (o) => (o.hits ?? (o._source ? [o] : [])).map((hit) => ({ _id: hit._id, ...plain(hit._source) }));

/** JSON with sorted members, in which what is gone is null. */
const text = (object) => JSON.stringify(Object.fromEntries(Object.entries(object).sort().map(([name, value]) => [name, value ?? null])));
