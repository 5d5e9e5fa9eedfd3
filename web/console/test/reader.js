// What the map reads of the stream, held to the simple version: node test/reader.js. It prints what it has done; an error ends it.
import { randomInt } from "node:crypto";

import { build } from "vite";

/** The exports of a source file, with all that it needs. */
async function load(entry) {
  const [{ output }] = await build({ configFile: false, logLevel: "warn", build: { write: false, minify: false, lib: { entry, formats: ["es"] } } });
  return import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
}

function check(what, is, want) {
  if (!Object.is(is, want) && JSON.stringify(is) !== JSON.stringify(want)) throw new Error(`${what}: ${JSON.stringify(is)}, want ${JSON.stringify(want)}`);
}

const pick = (list) => list[randomInt(list.length)];
const some = (n, make) => Array.from({ length: randomInt(n) }, make);

const { Splitter } = await load("src/screens/map/split.ts");
/** A packet as MQTT 3.1.1 has it: its kind and flags, how long it is, and its body. */
function packet(kind, ...body) {
  const rest = Buffer.concat(body);
  const length = [];
  for (let n = rest.length; n > 0 || length.length === 0; n >>= 7) length.push((n & 0x7f) | (n >= 0x80 ? 0x80 : 0));
  return Buffer.concat([Buffer.from([kind, ...length]), rest]);
}
const text = (s) => Buffer.concat([Buffer.from([Buffer.byteLength(s) >> 8, Buffer.byteLength(s) & 0xff]), Buffer.from(s)]);
const message = (topic, payload) => ({ bytes: packet(pick([0x30, 0x31]), text(topic), payload), taken: topic.startsWith("ours/") ? `${topic} ${payload.toString("hex")}` : undefined });
const packets = [
  () => message(pick(["ours/a", "ours/ä", `ours/${"b".repeat(300)}`, "others/a"]), Buffer.alloc(pick([0, 1, 100, 119, 120, 16_384, 200_000]), 7)),
  () => ({ bytes: packet(0x32, text("ours/a"), Buffer.from([0, 7]), Buffer.alloc(randomInt(40_000))) }), // QoS 1
  () => ({ bytes: packet(0xd0) }), // PINGRESP
  () => ({ bytes: packet(0x90, Buffer.from([0, 9, 0])) }), // SUBACK
];
for (let round = 0; round < 300; round++) {
  const sent = some(12, () => pick(packets)());
  const taken = [];
  const passed = [];
  const splitter = new Splitter(
    (bytes, topic, payload, end) => {
      const name = Buffer.from(bytes.subarray(topic, payload)).toString();
      if (!name.startsWith("ours/")) return false;
      taken.push(`${name} ${Buffer.from(bytes.subarray(payload, end)).toString("hex")}`);
      return true;
    },
    (bytes) => passed.push(Buffer.from(bytes)),
  );
  const stream = Buffer.concat(sent.map((p) => p.bytes));
  const most = pick([1, 3, 1000, 70_000, 1_000_000]);
  for (let i = 0; i < stream.length; ) {
    const n = 1 + randomInt(stream.length > 5000 ? Math.max(most, 1000) : most);
    splitter.receive(new Uint8Array(stream.subarray(i, i + n)));
    i += n;
  }
  const isTaken = (p) => p.taken !== undefined;
  check("taken", taken, sent.filter(isTaken).map((p) => p.taken));
  check("passed", Buffer.concat(passed).equals(Buffer.concat(sent.filter((p) => !isTaken(p)).map((p) => p.bytes))), true);
}
console.log("takes messages out of the stream");

const { Scanner } = await load("src/screens/map/scan.ts");
const { readPoint, valueAt } = await load("src/screens/map/position.ts");
const space = () => pick(["", "", " ", "\n\t"]);
const number = () => pick(["0", "-0", "48.137154", "-11.5", "90", "90.5", "181", "-180", "1e1", "0.1234567890123456789", "123456789012345", `0.${randomInt(1e9)}${randomInt(1e8)}`, `${randomInt(90)}.${randomInt(1e8)}${randomInt(1e7)}`, "12.30", String(randomInt(1e9) / 1e6)]);
const plain = () => pick([number, number, () => '"48.1,11.5"', () => '"a\\"}{,"', () => '"48"', () => "true", () => "null", () => '"\\\\"', () => '"ü"'])();
const name = () => pick(["position", "lat", "lon", "at", "latLon", "posit\\u0069on", "l\\u0061t", "ü", ""]);
function value(depth) {
  if (depth === 0) return plain();
  return pick([plain, () => object(depth - 1), () => object(depth - 1), () => `[${some(4, () => space() + value(depth - 1) + space()).join(",")}]`, () => `[${number()},${number()}]`, () => `{"lat":${number()},"lon":${number()}}`])();
}
function object(depth) {
  const members = new Map(some(6, () => [name(), value(depth)]).map(([n, v]) => [JSON.parse(`"${n}"`), `"${n}"${space()}:${space()}${v}`]));
  return `{${[...members.values()].map((m) => space() + m + space()).join(",")}}`;
}
let found = 0;
for (let round = 0; round < 30_000; round++) {
  const json = space() + object(3) + space();
  const path = pick([["position"], ["position"], ["at", "position"], ["lat"], ["ü"], [""]]);
  const before = "x".repeat(randomInt(3)); // it lies among other bytes
  const bytes = new TextEncoder().encode(`${before}${json},"position":{"lat":1,"lon":2}}`);
  const end = new TextEncoder().encode(before + json).length;
  const is = new Scanner(path).read(bytes, before.length, end);
  const want = readPoint(valueAt(JSON.parse(json), path));
  if (want) found++;
  check(`${path.join(".")} of ${json}`, [is?.lat, is?.lon], [want?.lat, want?.lon]);
}
if (found < 1000) throw new Error(`only ${found} documents had a position`);
console.log("reads positions as JSON.parse does");

const { Places } = await load("src/screens/map/places.ts");
const places = new Places();
const put = (id, document) => {
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  places.put(id, bytes, 0, bytes.length);
  bytes.fill(0); // they are others' now
};
let frame = places.frame();
const known = new Map(); // as the page has it
const draw = () => {
  frame = places.frame(frame.places);
  for (const slot of frame.gone) known.delete(slot);
  for (const { slot, id } of frame.named) known.set(slot, { id });
  for (let i = 0; i < 3 * frame.moved; i += 3) known.get(frame.places[i]).x = frame.places[i + 1];
  return [...known.values()].sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ id, x }) => `${id} ${Number.isNaN(x) ? "-" : Math.round((x - 0.5) * 360)}`);
};
places.again();
put("a", { home: [1, 1], at: { lat: 1, lon: 10 } });
put("b", { at: { lat: 1, lon: 20 } });
put("c", { at: "elsewhere" });
put("b", { at: { lat: 1, lon: 21 } });
check("documents", draw(), ["a 10", "b 21", "c -"]);
check("the field", [frame.field, frame.fields, frame.messages], ["at", ["at", "home"], 4]);
places.sync();
places.remove("b");
put("d", { at: { lat: 1, lon: 40 } });
check("what has left", draw(), ["a 10", "c -", "d 40"]);
put("e", { at: { lat: 1, lon: 50 } });
check("a slot again", draw(), ["a 10", "c -", "d 40", "e 50"]);
places.watch(0);
put("a", { at: { lat: 1, lon: 11 }, n: 1 });
draw();
check("what is watched", frame.watched, { slot: 0, source: { at: { lat: 1, lon: 11 }, n: 1 } });
places.again(); // a snapshot without c and d, another position of a
places.setField("home");
put("a", { home: [1, 5] });
put("e", {});
check("until it is complete", draw(), ["a 5", "c -", "d 40", "e -"]);
places.sync();
check("what a snapshot does not tell", draw(), ["a 5", "e -"]);
places.remove("a");
put("a", { home: [1, 7] });
check("gone and back", draw(), ["a 7", "e -"]);
check("slots", known.size, 2);
console.log("keeps where documents are");
