// Runs the cases of one module against a broker of their own, and prints a line of JSON for
// each: {"case":…,"error":null or a text}.
//
//   node run.js AMBIT MODULE
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";

import EventSource from "eventsource";

import { Broker } from "./broker.js";
import { World } from "./world.js";

globalThis.EventSource = EventSource; // as PocketBase's manual has it for Node.js

const [program, name] = process.argv.slice(2);
const module = await import(`./${name}.js`);
const broker = new Broker(program, { "ambit.yaml": "", ...module.settings });
if (module.users) broker.files["users.txt"] = users(module.users);
await broker.start();

let failed = false;
for (const [title, run] of Object.entries(module[name])) {
  const world = new World(broker, title);
  const error = await run(world).then(() => null, (e) => String(e.stack ?? e));
  world.close();
  failed ||= error !== null;
  process.stdout.write(`${JSON.stringify({ case: title, error })}\n`);
}
await broker.close();
if (failed) process.stderr.write(`the broker logged:\n${broker.log.join("\n")}\n`);
process.exit(failed ? 1 : 0);

/** Returns a file of users with a password, a tenant and roles each. */
function users(all) {
  const file = `${process.env.TMPDIR ?? "/tmp"}/pocketbase-users-${process.pid}`;
  for (const [user, tenant, ...roles] of all) {
    const args = [...roles.flatMap((role) => ["--role", role]), "--attribute", `tenant=${tenant}`];
    const done = spawnSync(program, ["passwd", file, user, ...args], { input: `secret ${user}\n`, encoding: "utf8" });
    if (done.status !== 0) throw new Error(done.stderr);
  }
  const text = readFileSync(file, "utf8");
  rmSync(file);
  return text;
}
