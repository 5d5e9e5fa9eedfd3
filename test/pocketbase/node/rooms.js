// Rooms as Server-Sent Events, without PocketBase's client: by what every browser has.
import { Inbox, match, until } from "./world.js";

export const users = [["ada", "acme"]];

export const settings = { "ambit.yaml": "anonymous: all\nusers: users.txt\n" };

const fast = encodeURIComponent('{"range":{"speed":{"gt":50}}}');

/** The path of the room of what is fast in the case's own collection. */
const room = (world) => `${world.url}/api/rooms/fleet/${world.collection}?filter=${fast}`;

/** Reads the lines of an answer as they come. */
async function* lines(response) {
  const decoder = new TextDecoder();
  let text = "";
  for (const reader = response.body.getReader(); ; ) {
    const { value, done } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    for (let end; (end = text.indexOf("\n")) >= 0; text = text.slice(end + 1)) yield text.slice(0, end);
  }
}

export const rooms = {
  async "EventSource goes on after the broker was killed, and misses nothing"(world) {
    const [told, begun] = [new Inbox(), new Inbox()];
    const source = new EventSource(room(world));
    try {
      source.onmessage = (e) => told.add({ id: e.lastEventId, ...JSON.parse(e.data) });
      source.addEventListener("subscribed", (e) => begun.add(JSON.parse(e.data)));
      const first = await begun.next();
      await world.publish("1", { speed: 60 });
      await told.expect({ transition: "enter", result: { _id: "1" }, id: (id) => Number(id) > first.seq });
      await world.outside.kill();
      await world.outside.start();
      await world.publish("2", { speed: 70 });
      await world.publish("1", { speed: 10 });
      match(await begun.next(), { room: first.room });
      await told.expect({ transition: "enter", result: { _id: "2" } });
      await told.expect({ transition: "exit", result: { _id: "1" } });
      await world.publish("2", { speed: 80 });
      await told.expect({ transition: "stay", result: { _id: "2" } });
    } finally {
      source.close();
    }
    await until(async () => {
      const { result } = await world.outside.ask("realtime", "list");
      return !result.fleet?.[world.collection];
    }, "the room to be empty");
  },

  async "what cannot be read ends an EventSource for good"(world) {
    const source = new EventSource(`${world.url}/api/rooms/fleet/${world.collection}?filter=%7B`);
    await new Promise((done) => (source.onerror = done));
    match(source.readyState, 2);
  },

  async "fetch signs in, and goes on after an event that it knows"(world) {
    const wrong = await fetch(room(world), { headers: { Authorization: `Basic ${btoa("ada:a guess")}` } });
    match([wrong.status, (await wrong.json()).error.id], [401, "security.rights.unauthorized"]);
    await world.publish("1", { speed: 60 });
    await world.publish("2", { speed: 70 });
    const { result } = await world.outside.ask("document", "get", { index: "fleet", collection: world.collection, _id: "1" });
    match(result._version, 1);
    const stop = new AbortController();
    const whole = await fetch(`${room(world)}&since=0`, { headers: { Authorization: `Basic ${btoa("ada:secret ada")}` }, signal: stop.signal });
    match([whole.status, whole.headers.get("Content-Type")], [200, "text/event-stream"]);
    const ids = [];
    for await (const line of lines(whole)) {
      if (line.startsWith("id: ")) ids.push(line.slice(4));
      if (ids.length === 3) break; // of subscribed, and of both documents
    }
    const rest = await fetch(room(world), { headers: { Authorization: `Basic ${btoa("ada:secret ada")}`, "Last-Event-ID": ids[1] }, signal: stop.signal });
    const told = [];
    for await (const line of lines(rest)) {
      if (line.startsWith("data: ")) told.push(JSON.parse(line.slice(6)));
      if (told.length === 2) break;
    }
    match(told, [{ seq: Number(ids[1]) }, { seq: Number(ids[2]), result: { _id: "2" } }]);
    stop.abort();
  },
};
