// Runs the cases of one module against a broker of their own, in Node.js or in a page of Chromium, and
// prints a line of JSON for each: {"case":…,"error":null or a text}.
//
//   node run.js AMBIT MODULE [CHROMIUM]
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { Broker, mosquitto } from "./broker.js";
import { World } from "./world.js";

const [program, name, chromium] = process.argv.slice(2);
const module = await import(`./${name}.js`);
const cases = Object.keys(module[name]);
const many = chromium ? 100 : 1000;

const broker = new Broker(program, { "ambit.yaml": "", ...module.settings });
if (module.settings?.["ambit.yaml"].includes("users:")) {
  broker.files["users.txt"] = users(["ada", "acme"], ["bob", "duck"], ["eve", "acme", "boss"], ["root", "acme", "boss", "admin"]);
}
await broker.start();

/** What is outside of a page. */
const outside = {
  kuzzlePort: async () => Number(broker.kuzzle.split(":")[1]),
  mosquitto: (tool, ...args) => mosquitto(tool, broker, ...args),
  async restart() {
    await broker.kill();
    await broker.start();
  },
};

const browser = chromium && (await (await import("playwright-core")).chromium.launch({ executablePath: chromium, args: ["--no-sandbox"] }));
const page = browser && (await openPage());

let failed = false;
for (const title of cases) {
  const error = await (chromium ? inPage(title) : inNode(title)).then(() => null, (e) => String(e.stack ?? e));
  failed ||= error !== null;
  process.stdout.write(`${JSON.stringify({ case: title, error })}\n`);
}
await browser?.close();
await broker.close();
if (failed) process.stderr.write(`the broker logged:\n${broker.log.join("\n")}\n`);
process.exit(failed ? 1 : 0);

async function inNode(title) {
  const require = createRequire(import.meta.url);
  const sdk = require("kuzzle-sdk");
  globalThis.RawWebSocket = require("ws");
  const world = Object.assign(new World(sdk, broker.port, outside), { Observer: sdk.Observer, many });
  try {
    await module[name][title](world);
  } finally {
    world.close();
  }
}

/** Opens a page of the broker's own, in which the cases are. */
async function openPage() {
  const page = await browser.newPage();
  page.on("console", (m) => broker.log.push(`the page says: ${m.text()}`));
  const at = `http://${broker.http}/test/`;
  await page.route(`${at}**`, async (route) => {
    const file = new URL(route.request().url()).pathname.replace("/test/", "");
    await route.fulfill({ body: await readFile(new URL(file, import.meta.url), "utf8"), contentType: "text/javascript" });
  });
  await page.goto(`http://${broker.http}/api/server/now`);
  await page.setContent("<!doctype html><title>test</title>");
  for (const [key, call] of Object.entries(outside)) await page.exposeFunction(key, call);
  await page.addScriptTag({ content: "var process = { env: {} };" }); // as every bundler does
  await page.addScriptTag({ url: `${at}node_modules/kuzzle-sdk/dist/kuzzle.js` });
  await page.evaluate(async ([at, name]) => {
    window.RawWebSocket = WebSocket;
    const [{ World }, module] = await Promise.all([import(`${at}world.js`), import(`${at}${name}.js`)]);
    Object.assign(window, { World, cases: module[name] });
  }, [at, name]);
  return page;
}

function inPage(title) {
  return page.evaluate(async ([title, port, many]) => {
    const { kuzzlePort, mosquitto, restart, KuzzleSDK: sdk } = window;
    const world = Object.assign(new window.World(sdk, port, { kuzzlePort, mosquitto, restart }), { Observer: sdk.Observer, many });
    try {
      await window.cases[title](world);
    } finally {
      world.close();
    }
  }, [title, broker.port, many]);
}

/** Returns a file of users with a password, a tenant and roles each. */
function users(...all) {
  const file = `/tmp/kuzzle-users-${process.pid}`;
  for (const [user, tenant, ...roles] of all) {
    const args = [...roles.flatMap((role) => ["--role", role]), "--attribute", `tenant=${tenant}`];
    const done = spawnSync(program, ["passwd", file, user, ...args], { input: `secret ${user}\n`, encoding: "utf8" });
    if (done.status !== 0) throw new Error(done.stderr);
  }
  return spawnSync("cat", [file], { encoding: "utf8" }).stdout;
}
