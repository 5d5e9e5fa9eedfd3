// Rates and other limits, and a client that does not read.
import { match, until } from "./world.js";

export const settings = {
  "ambit.yaml": `limits:
  channels: 3
  queue_bytes: 16384
  write_timeout: 1s
quotas:
  publish_rates: ["1000/s", "6/h"]
  subscribe_rates: ["8/h"]
`,
};

export const limits = {
  async "whoever sends too fast is told so, by the first rate that is reached"(w) {
    const ann = await w.connect();
    for (let n = 0; n < 6; n++) match(await ann.emitWithAck("message", { channel: "fast", eventName: "n", message: n }), undefined);
    match(await ann.emitWithAck("message", { channel: "fast", eventName: "n", message: 6 }), { error: { code: "rate_limit_exceeded", event: "message" } });
    ann.emit("message", { eventName: "n", message: 7 });
    await ann.inbox.expect("error", { origin: "client_error", code: "rate_limit_exceeded", event: "message" });
    match(ann.connected, true);
  },

  async "whoever joins too often, or too many channels, is told so"(w) {
    const ann = await w.connect();
    for (let n = 0; n < 3; n++) match(await ann.emitWithAck("join", { channel: `c${n}` }), undefined);
    match(await ann.emitWithAck("join", { channel: "c3" }), { error: { code: "limit_exceeded" } });
    match(await ann.emitWithAck("leave", { channel: "c0" }), undefined);
    match(await ann.emitWithAck("join", { channel: "c3" }), undefined);
    match(await ann.emitWithAck("join", { channel: "c4" }), { error: { code: "rate_limit_exceeded" } }); // what is for everyone was the first of eight
  },

  async "a client that does not fetch what it is told is gone, and others are not"(w) {
    const url = `http://${w.http}/socket.io/?EIO=4&transport=polling`;
    const open = await (await fetch(url)).text();
    const own = `${url}&sid=${JSON.parse(open.slice(1)).sid}`;
    const post = (text) => fetch(own, { method: "POST", body: text });
    await post("40{}");
    const { sid: id } = JSON.parse((await (await fetch(own)).text()).slice(2));
    const ann = await w.connect();
    await ann.emitWithAck("join", { channel: "slow", echo: false });
    await post('42["join",{"channel":"slow"}]');
    await ann.inbox.expect("channel:join", { channel: "slow", message: { id } });
    let left = false;
    ann.on("channel:leave", ({ message }) => (left ||= message.id === id));
    let sent = 0;
    while (!left) {
      if (++sent > 300) throw new Error("it is there still");
      match(await w.outside.ask("channel", "send", { channel: "slow", event: "much", body: "x".repeat(10_000) }), { status: 200 });
    }
    match(await (await fetch(own)).json(), { code: 1, message: "Session ID unknown" });
    match((await ann.emitWithAck("members", { channel: "slow" })).map((m) => m.id), [ann.id]);
    await until(() => ann.inbox.told.filter(([event]) => event === "much").length === sent, "all that was sent");
  },
};
