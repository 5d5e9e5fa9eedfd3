// Runs a script in Chromium: node test/run.js NAME HTTP MQTT CHROMIUM SCREENSHOTS. A script is test/NAME.js and exports a
// function that is given what is below. What it prints by step() is what the test counts; an error ends it.
import { join } from "node:path";
import { createInterface } from "node:readline";

import axe from "axe-core";
import mqtt from "mqtt";
import { chromium } from "playwright-core";

const [name, http, broker, executablePath, shots] = process.argv.slice(2);
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const faults = [];
const allowed = []; // patterns of what the console of the browser may say
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--host-resolver-rules=MAP broker.test 127.0.0.1"] });

/** Opens a tab, of a browser of its own unless one is given. What it must not do is a fault in the end. */
async function open(path = "/", options = {}) {
  const context = options.context ?? (await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: "light", ...options }));
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on("pageerror", (e) => faults.push(`an error in the page: ${e.stack}`));
  page.on("console", (m) => {
    if (["error", "warning"].includes(m.type()) && !allowed.some((pattern) => pattern.test(m.text()))) faults.push(`the console says: ${m.text()}`);
  });
  page.on("request", (r) => {
    const url = new URL(r.url());
    if (url.host !== http && !["data:", "blob:"].includes(url.protocol)) faults.push(`a request to ${r.url()}`);
  });
  await page.goto(`http://${http}${path}`);
  return page;
}

const context = {
  browser,
  http,
  mqtt: broker,
  open,
  /** Says that a part is done. */
  step: (text) => console.log(text),
  /** Has the broker do something: kill, start, or a command of its command line; returns what that prints. */
  async tell(command) {
    console.log(`!${command}`);
    return (await answers.next()).value;
  },
  /** Another client: mqtt.js over TCP. */
  client: (options = {}) => mqtt.connectAsync(`mqtt://${broker}`, { protocolVersion: 5, ...options }),
  /** Asks over HTTP. */
  async ask(controller, action, body, headers = {}) {
    const response = await fetch(`http://${http}/api/${controller}/${action}`, { method: "POST", headers, body: JSON.stringify(body) });
    return response.json();
  },
  /** What the console of the browser may say from now on. */
  allow: (pattern) => allowed.push(pattern),
  /** Leaves a picture. */
  shot: (page, file) => page.screenshot({ path: join(shots, `${file}.png`), animations: "disabled" }),
  /** Fails if the page, as it is now, breaks WCAG 2.1 A or AA, contrast among it. */
  async accessible(page) {
    await page.evaluate(axe.source); // past the policy of the page, as a debugger
    const { violations } = await page.evaluate(() => globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }));
    if (violations.length === 0) return;
    const said = violations.map((v) => `${v.id}: ${v.help}\n${v.nodes.map((n) => `    ${n.html}\n    ${n.any[0]?.message ?? n.failureSummary}`).join("\n")}`);
    throw new Error(`${page.url()} is not accessible:\n${said.join("\n")}`);
  },
  check(what, is, want) {
    if (JSON.stringify(is) !== JSON.stringify(want)) throw new Error(`${what}: ${JSON.stringify(is)}, want ${JSON.stringify(want)}`);
  },
};

try {
  const { default: script } = await import(`./${name}.js`);
  await script(context);
  if (faults.length > 0) throw new Error(faults.join("\n"));
} catch (e) {
  for (const [i, page] of browser.contexts().flatMap((c) => c.pages()).entries()) await page.screenshot({ path: join(shots, `failed-${name}-${i}.png`) }).catch(() => {});
  console.error(e, ...faults);
  process.exitCode = 1;
} finally {
  await browser.close();
  process.exit();
}
