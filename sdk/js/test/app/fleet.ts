// What an application may write, checked by the types of the package as npm packs it.
import { type ChannelEvent, Connection, type DocumentNotification, DocumentController, type Options, connect } from "@ambit/client";

interface Truck {
  speed: number;
  driver?: string;
}

const options: Options = { version: 5, password: async () => "a token" };
const ambit = await connect("ws://127.0.0.1:8080/mqtt", options);
const fast = ambit.observe.search<Truck>("fleet", "trucks", { query: { range: { speed: { gt: 50 } } }, sort: [{ speed: "desc" }] });
fast.on("change", (id: string, changes: Partial<Truck>) => console.log(id, changes.speed?.toFixed()));
const speeds: number[] = fast.hits.map((hit) => hit._source.speed);
// @ts-expect-error: a truck has no colour
console.log(fast.hits[0]?._source.colour, speeds);
await ambit.realtime.subscribe<Truck>("fleet", "trucks", { exists: "speed" }, (n) => {
  if (n.type === "document") show(n);
  // @ts-expect-error: only documents have a transition
  else console.log(n.transition);
});
function show(n: DocumentNotification<Truck>) {
  console.log(n.transition, n.result._source.speed);
}
await ambit.channel.listen<{ text: string }>("chat", (e: ChannelEvent<{ text: string }>) => console.log(e.message?.text), "say");
const { _version } = await new DocumentController(await Connection.open("mqtt://127.0.0.1:1883")).create("fleet", "trucks", { speed: 60 });
console.log(_version + 1);
