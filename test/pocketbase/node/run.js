// Runs the cases of one module against a broker of their own, in Node.js or in a page of Chromium that
// is not the broker's, and prints a line of JSON for each: {"case":…,"error":null or a text}.
//
//   node run.js AMBIT MODULE [CHROMIUM]
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

import EventSource from "eventsource";

import { Broker, mosquitto } from "./broker.js";
import { World } from "./world.js";

const [program, name, chromium] = process.argv.slice(2);
const module = await import(`./${name}.js`);
const index = `<!doctype html><title>test</title>
<script type="importmap">{"imports": {"pocketbase": "/node_modules/pocketbase/dist/pocketbase.es.mjs"}}</script>`;
const titles = Object.keys(module[name]).filter((title) => !chromium || !module.needsNode?.includes(title));

const broker = new Broker(program, { "ambit.yaml": "", ...module.settings });
if (module.users) broker.files["users.txt"] = users(module.users);
let site, page, browser;
if (chromium) site = await serve();
broker.files["ambit.yaml"] += `origins: ["app.example", "127.0.0.1:${site?.address().port ?? 1}"]\n`;
await broker.start();

/** What is outside of a page. */
const outside = {
  mosquitto: (tool, ...args) => mosquitto(tool, broker, ...args),
  ask: (...args) => broker.ask(...args),
  ambit: (...args) => broker.ambit(...args),
  write: (file, text) => broker.write(file, text),
  kill: () => broker.kill(),
  start: () => broker.start(),
  address: async () => Object.fromEntries(broker.mqtt.split(":").map((part, i) => [["host", "port"][i], part])),
};
if (chromium) {
  browser = await (await import("playwright-core")).chromium.launch({ executablePath: chromium, args: ["--no-sandbox"] });
  page = await openPage("127.0.0.1");
}

let failed = false;
for (const title of titles) {
  const error = await (chromium ? inPage(title) : inNode(title)).then(() => null, (e) => `${e.stack ?? e}${e.cause ? `, because of ${e.cause}` : ""}`);
  failed ||= error !== null;
  process.stdout.write(`${JSON.stringify({ case: title, error })}\n`);
}
if (chromium && module.foreign) {
  page = await openPage("localhost"); // of which the broker knows nothing
  const error = await inPage("", "foreign").then(() => null, (e) => String(e.stack ?? e));
  failed ||= error !== null;
  process.stdout.write(`${JSON.stringify({ case: "a page of another host is refused", error })}\n`);
}
await browser?.close();
site?.close();
await broker.close();
if (failed) process.stderr.write(`the broker logged:\n${broker.log.join("\n")}\n`);
process.exit(failed ? 1 : 0);

async function inNode(title) {
  globalThis.EventSource = EventSource; // as PocketBase's manual has it for Node.js
  const world = new World(broker.http, outside);
  try {
    await module[name][title](world);
  } finally {
    world.close();
  }
}

/** Serves the files of the cases. */
async function serve() {
  const server = createServer(async (request, response) => {
    const file = new URL(request.url, "http://page").pathname;
    const text = file === "/" ? index : await readFile(new URL(`.${file}`, import.meta.url), "utf8").catch(() => null);
    response.writeHead(text === null ? 404 : 200, { "Content-Type": file === "/" ? "text/html" : "text/javascript" });
    response.end(text);
  }).listen(0);
  await once(server, "listening");
  return server;
}

/** Opens a page in which the cases are. Its client is the module that npm has. */
async function openPage(host) {
  const page = await browser.newPage();
  page.on("console", (m) => broker.log.push(`the page says: ${m.text()}`));
  await page.goto(`http://${host}:${site.address().port}/`);
  for (const [key, call] of Object.entries(outside)) await page.exposeFunction(key, call);
  await page.evaluate(async (name) => {
    const [{ World }, module] = await Promise.all([import("/world.js"), import(`/${name}.js`)]);
    Object.assign(window, { World, module });
  }, name);
  return page;
}

function inPage(title, of = name) {
  return page.evaluate(async ([title, of, http]) => {
    const { mosquitto, ask, ambit, write, kill, start, module } = window;
    const world = new window.World(http, { mosquitto, ask, ambit, write, kill, start });
    try {
      await (title ? module[of][title] : module[of])(world);
    } finally {
      world.close();
    }
  }, [title, of, broker.http]);
}

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
