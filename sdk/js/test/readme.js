// Runs the examples of README.md that begin with ```js run, and compares what they print with what they say.
//
//   node test/readme.js ws://127.0.0.1:8080/mqtt
import { readFileSync } from "node:fs";
import { format } from "node:util";

import { connect } from "../dist/index.js";

const broker = process.argv[2];
const blocks = [...readFileSync("README.md", "utf8").matchAll(/^```js run\n(.*?)^```$/gms)].map((m) => m[1]);
const AsyncFunction = (async () => {}).constructor;

for (const block of blocks) {
  const printed = [];
  const code = block.replace(/^import .*\n/m, "").replaceAll("ws://127.0.0.1:8080/mqtt", broker);
  await new AsyncFunction("connect", "console", code)(connect, { log: (...args) => printed.push(format(...args)) });
  const says = [...block.matchAll(/\/\/ prints: (.*)$/gm)].map((m) => m[1]);
  if (printed.join("\n") !== says.join("\n")) {
    console.error(`${block}\nprints\n${printed.join("\n")}`);
    process.exit(1);
  }
  console.log(`${says.length} lines as they should be`);
}
process.exit(0);
