// Measures Koncorde: registers the filters of one file, a line each, and matches
// the documents of another, for so many seconds. It prints one line of JSON:
// the CPU time per document, the bytes per filter, and for the first documents
// which filters matched.
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const { Koncorde } = createRequire(new URL('../../koncorde/node/', import.meta.url))('koncorde');
const [filters, documents, seconds, shown] = process.argv.slice(2);

async function* values(file) {
  for await (const line of createInterface({ input: createReadStream(file) })) {
    yield JSON.parse(line);
  }
}

const before = process.memoryUsage().rss;
const engine = new Koncorde({ maxConditions: 1000 });
const numbers = new Map(); // of filters, by their identifiers
let number = 0;
for await (const filter of values(filters)) {
  const id = engine.register(filter);
  numbers.set(id, [...(numbers.get(id) ?? []), number++]);
}
const bytes = (process.memoryUsage().rss - before) / number;
const bodies = [];
for await (const body of values(documents)) {
  bodies.push(body);
}
const matches = bodies.slice(0, shown).map((body) => engine.test(body).flatMap((id) => numbers.get(id)));

// As a shared machine is slow at times, the median of slices of 50 ms counts.
// Those of the first second warm up the compiler.
function measure(seconds) {
  const times = [];
  for (let spent = 0, tested = 0; spent < seconds * 1e6; ) {
    const start = process.cpuUsage();
    let took = 0;
    const first = tested;
    while (took < 50_000) {
      for (let i = 0; i < 10; i++) {
        engine.test(bodies[tested++ % bodies.length]);
      }
      const { user, system } = process.cpuUsage(start);
      took = user + system;
    }
    spent += took;
    times.push((took * 1000) / (tested - first));
  }
  return times.sort((a, b) => a - b)[times.length >> 1];
}
measure(1);
console.log(JSON.stringify({ nanoseconds: measure(Number(seconds)), bytes, matches }));
