// Runs the cases of one module against a broker of their own, in Node.js or in a page of Chromium, and
// prints a line of JSON for each: {"case":…,"error":null or a text}.
//
//   node run.js AMBIT MODULE [CHROMIUM]
import { spawnSync } from "node:child_process";
import dns from "node:dns";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { Broker, mosquitto } from "./broker.js";
import { World } from "./world.js";

const [program, name, chromium] = process.argv.slice(2);
const module = await import(`./${name}.js`);
const cases = Object.keys(module[name]).filter((title) => !(chromium && module.notInPages?.includes(title)));
const many = chromium ? 100 : 1000;

const broker = new Broker(program, { "ambit.yaml": "", ...module.settings });
if (module.users) broker.files["users.txt"] = users(module.users);
await broker.start();

// Names below localhost are this machine's (RFC 6761), which browsers know, and not every resolver.
const lookup = dns.lookup;
dns.lookup = (host, ...rest) => lookup(host.endsWith(".localhost") ? "127.0.0.1" : host, ...rest);

/** What is outside of a page. */
const outside = {
  mosquitto: (tool, ...args) => mosquitto(tool, broker, ...args),
  ask: (...args) => broker.ask(...args),
  async restart() {
    await broker.kill();
    await broker.start();
  },
};

const browser = chromium && (await (await import("playwright-core")).chromium.launch({ executablePath: chromium, args: ["--no-sandbox"] }));
const page = browser && (await openPage());

let failed = false;
for (const title of cases) {
  const error = await Promise.race([chromium ? inPage(title) : inNode(title), tooLate()]).then(() => null, (e) => String(e.stack ?? e));
  failed ||= error !== null;
  process.stdout.write(`${JSON.stringify({ case: title, error })}\n`);
}
await browser?.close();
await broker.close();
if (failed) process.stderr.write(`the broker logged:\n${broker.log.join("\n")}\n`);
process.exit(failed ? 1 : 0);

/** Fails when a case waits for what does not come. */
function tooLate() {
  return new Promise((_, fail) => setTimeout(() => fail(new Error("it has not ended after two minutes")), 120_000).unref());
}

async function inNode(title) {
  const require = createRequire(import.meta.url);
  const world = new World({ io: require("socket.io-client").io, createClient: require("altogic").createClient }, broker.http, outside, many);
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
  await page.addScriptTag({ url: `${at}node_modules/socket.io-client/dist/socket.io.js` });
  await page.addScriptTag({ url: `${at}node_modules/altogic/dist/umd/altogic.js` });
  await page.evaluate(async ([at, name]) => {
    const [{ World }, module] = await Promise.all([import(`${at}world.js`), import(`${at}${name}.js`)]);
    Object.assign(window, { World, cases: module[name] });
  }, [at, name]);
  return page;
}

function inPage(title) {
  return page.evaluate(async ([title, http, many]) => {
    const { mosquitto, ask, restart, io, altogic } = window;
    const world = new window.World({ io, createClient: altogic.createClient }, http, { mosquitto, ask, restart }, many);
    try {
      await window.cases[title](world);
    } finally {
      world.close();
    }
  }, [title, broker.http, many]);
}

/** Returns a file of users with a password and roles each. */
function users(all) {
  const file = `/tmp/agnost-users-${process.pid}`;
  for (const [user, ...roles] of all) {
    const done = spawnSync(program, ["passwd", file, user, ...roles.flatMap((role) => ["--role", role])], { input: `secret ${user}\n`, encoding: "utf8" });
    if (done.status !== 0) throw new Error(done.stderr);
  }
  return spawnSync("cat", [file], { encoding: "utf8" }).stdout;
}
