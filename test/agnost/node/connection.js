// A broker that is killed, and many clients.
import { Inbox, match, until } from "./world.js";

export const settings = { "ambit.yaml": 'origins: ["127.0.0.1:*"]\n' };

export const connection = {
  async "clients that reconnect after the broker was killed go on"(w) {
    const [ann, bob] = [await w.altogic({ realtime: { reconnectionDelay: 100 } }), await w.connect({}, { transports: ["polling", "websocket"] })];
    bob.on("connect", () => bob.emit("join", { channel: "back", echo: false })); // as Agnost's client does
    bob.emit("join", { channel: "back", echo: false });
    ann.realtime.updateProfile({ name: "Ann" });
    ann.realtime.join("back", false);
    await until(async () => (await bob.emitWithAck("members", { channel: "back" })).length === 2, "both to be there");
    let tried = 0;
    ann.realtime.onReconnectAttempt(() => tried++);
    await w.outside.restart();
    bob.emit("message", { channel: "back", eventName: "kept", message: "until then" }); // the client buffers it
    const back = () => until(() => ann.realtime.isConnected() && bob.connected, "both to be back");
    await back();
    match(tried, (n) => n > 0);
    await until(async () => (await bob.emitWithAck("members", { channel: "back" })).length === 2, "both to have joined again");
    match((await ann.realtime.getMembers("back")).data.find((m) => m.id === ann.realtime.getSocketId()).data, { name: "Ann" });
    while (ann.inbox.told.length > 0) ann.inbox.told.pop();
    bob.emit("message", { channel: "back", eventName: "again", message: 1 });
    await ann.inbox.expect("again", { channel: "back", message: 1 });
  },

  async "a thousand clients are told at once"(w) {
    const clients = [];
    while (clients.length < w.many) {
      const more = await Promise.all(Array.from({ length: 50 }, (_, n) => w.connect({ echoMessages: false }, { transports: n % 10 === 0 ? ["polling"] : ["websocket"] })));
      // In ten channels: each who joins is told to all who are there.
      match(await Promise.all(more.map((c, n) => c.emitWithAck("join", { channel: `crowd${n % 10}` }))), more.map(() => undefined));
      clients.push(...more);
    }
    match((await clients[0].emitWithAck("members", { channel: "crowd7" })).length, w.many / 10);
    const inboxes = clients.map((c) => {
      const inbox = new Inbox();
      c.on("n", (n) => inbox.add([n]));
      return inbox;
    });
    const sender = await w.connect({ echoMessages: false });
    for (let n = 0; n < 3; n++) sender.emit("message", { eventName: "n", message: n });
    sender.emit("message", { channel: "crowd3", eventName: "n", message: "three" });
    for (const [i, inbox] of inboxes.entries()) {
      for (let n = 0; n < 3; n++) await inbox.expect({ channel: null, message: n });
      if (i % 10 === 3) await inbox.expect({ channel: "crowd3", message: "three" });
    }
  },
};
