// Rates and other limits.
import { match } from "./world.js";

export const settings = {
  "ambit.yaml": `limits:
  channels: 3
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
};
