// Who is there, and channels: two clients, of which one tells what the other does.
//
//   node test/together.js ws://127.0.0.1:8080/mqtt VERSION
//   > cut                     the broker is to be killed, and started again
//   < mended
//
// It prints a line for each thing that is as it should be, and fails with the first that is not.
import { once } from "node:events";
import { createInterface } from "node:readline";

import { connect } from "../dist/index.js";

const [url, version] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin });
const options = { version: Number(version), reconnectPeriod: 50 };
const ada = await connect(url, { ...options, clientId: "ada" });
const bob = await connect(url, { ...options, clientId: "bob" });
const told = [];
let more = () => {};

function tell(line) {
  told.push(line);
  more();
}

/** Waits until lines were told, in whichever order, and forgets what came before the last one. */
async function hears(...lines) {
  const end = setTimeout(() => {
    console.error(`nobody has told ${lines}, but ${JSON.stringify(told)}`);
    process.exit(1);
  }, 20_000);
  while (!lines.every((line) => told.includes(line))) await new Promise((resolve) => (more = resolve));
  clearTimeout(end);
  told.splice(0, Math.max(...lines.map((line) => told.indexOf(line))) + 1);
  for (const line of lines) process.stdout.write(`${line}\n`);
}

await ada.presence.watch("+", (id, standing) => tell(`${id} ${standing.online ? "is" : "was"} there ${JSON.stringify(standing.metadata)}`));
await hears("bob is there null");
await bob.presence.update({ name: "Bob" });
await hears('bob is there {"name":"Bob"}');
tell(`get ${(await ada.presence.get("bob")).online}`);
await hears("get true");

const filter = { exists: "speed" };
const mine = await ada.realtime.subscribe("fleet", "trucks", filter, (n) => n.type === "user" && tell(`user ${n.user} ${n.result.count} ${n.member.clientId}`), { users: "all" });
await ada.presence.room("fleet", "trucks", mine.roomId, ({ members }) => tell(`room ${members.map((m) => m.clientId)}`));
const his = await bob.realtime.subscribe("fleet", "trucks", filter, () => {});
await hears("user in 2 bob", "room ada,bob");
const { count, members } = await ada.presence.list(mine.roomId);
tell(`list ${count} ${members[1].metadata.name}`);
await hears("list 2 Bob");
await his.unsubscribe();
await hears("user out 1 bob");

await ada.channel.listen("chat", (e) => tell(`${e.event} ${e.member?.clientId ?? e.from.clientId} ${JSON.stringify(e.member?.metadata ?? e.message)}`));
await bob.channel.join("chat", { mood: "good" });
await hears('join bob {"mood":"good"}');
await bob.channel.send("chat", "say", { text: "hi" });
await hears('say bob {"text":"hi"}');
await bob.channel.update({ mood: "better" }, "chat");
await hears('update bob {"mood":"better"}');
await ada.channel.listen("*", (e) => tell(`broadcast ${e.event} ${e.message}`));
await bob.channel.broadcast("news", "closed");
await hears("broadcast news closed");

const mended = once(lines, "line");
process.stdout.write("cut\n");
await mended;
await hears('bob is there {"name":"Bob"}');
let joined = [];
while (joined.length === 0) joined = (await ada.channel.members("chat")).members; // he may be back before her
tell(`members ${joined.map((m) => `${m.clientId} ${m.metadata.mood}`)}`);
await hears("members bob better");
await bob.channel.leave("chat");
await hears('leave bob {"mood":"better"}');
await bob.close();
await hears('bob was there {"name":"Bob"}');
await ada.close();
process.exit(0);
