// Pages in Chromium: the example as a new user finds it, and components of React and Vue.
//
//   node test/pages.js CHROMIUM ws://127.0.0.1:8080/mqtt SCREENSHOT [DIR]
//   > cut                                     the broker is to be killed, and started again
//   < mended
//
// With DIR it is the example there, and nothing else. It fails with the first thing that is not as it should be.
import { once } from "node:events";
import { createInterface } from "node:readline";

import { context } from "esbuild";

import { connect } from "../dist/index.js";
import { bundle, launch, open } from "./browser.js";

const [chromium, url, screenshot, dir] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin });
const browser = await launch(chromium);
const ambit = await connect(url, { reconnectPeriod: 50 });
const put = (id, speed) => ambit.document.createOrReplace("fleet", "trucks", id, { speed });

async function dashboard() {
  const server = await context({});
  const { port } = await server.serve({ servedir: dir ?? ".", host: "127.0.0.1", port: 0 });
  const page = await browser.newPage({ viewport: { width: 900, height: 700 } });
  const shows = (rows) =>
    page.waitForFunction((want) => [...document.querySelectorAll("#rows tr")].map((r) => `${r.cells[0].textContent} ${r.cells[1].textContent}`).join() === want, rows.join());
  await put("a", 60);
  await put("b", 70);
  await put("c", 20);
  await page.goto(`http://127.0.0.1:${port}/examples/dashboard.html?broker=${encodeURIComponent(url)}`);
  await shows(["b 70", "a 60"]);
  await put("c", 90);
  await put("b", 10);
  await shows(["c 90", "a 60"]);
  await page.waitForSelector("#events >> text=b is slow now, or gone");
  await page.locator("#speed").fill("65");
  await shows(["c 90"]);
  await page.locator("#speed").fill("0");
  await shows(["c 90", "a 60", "b 10"]);

  const mended = once(lines, "line");
  process.stdout.write("cut\n");
  await page.waitForSelector("#state >> text=connecting");
  await mended;
  await page.waitForSelector("#state >> text=live");
  await put("a", 95);
  await shows(["a 95", "c 90", "b 10"]);
  for (let i = 10; i < 30; i++) await put(`t${i}`, 100 + i);
  await page.locator("#speed").fill("1");
  const counts = (rows) => page.waitForFunction((n) => document.querySelectorAll("#rows tr").length === n && document.querySelector("#total").textContent === "23", rows);
  await counts(12);
  await page.click("#more");
  await counts(23);
  await page.screenshot({ path: screenshot });
  await page.close();
  await server.dispose();
}

const react = `
  import { createElement as h } from "react";
  import { createRoot } from "react-dom/client";
  import { connect } from "../dist/index.js";
  import { useObserved } from "../dist/react.js";

  function Trucks({ ambit, limit }) {
    const query = { range: { speed: { gt: limit } } };
    const trucks = useObserved(() => ambit.observe.search("bindings", "trucks", { query, sort: "speed" }), [ambit, limit]);
    return h("p", null, trucks.error ? trucks.error.id : trucks.hits.map((hit) => hit._id).join() + " of " + trucks.total);
  }

  export async function start(url) {
    const ambit = await connect(url);
    const root = createRoot(document.body);
    window.show = (limit) => root.render(h(Trucks, { ambit, limit }));
    window.end = () => root.unmount();
    window.show(50);
  }`;

const vue = `
  import { createApp, defineComponent, h, ref } from "vue";
  import { connect } from "../dist/index.js";
  import { useObserved } from "../dist/vue.js";

  const Trucks = defineComponent({
    props: ["ambit", "limit"],
    setup({ ambit, limit }) {
      const query = { range: { speed: { gt: limit } } };
      const trucks = useObserved(ambit.observe.search("bindings", "trucks", { query, sort: "speed" }));
      return () => h("p", trucks.value.error ? trucks.value.error.id : trucks.value.hits.map((hit) => hit._id).join() + " of " + trucks.value.total);
    },
  });

  export async function start(url) {
    const ambit = await connect(url);
    const limit = ref(50);
    const app = createApp({ render: () => h(Trucks, { ambit, limit: limit.value, key: limit.value }) });
    window.show = (to) => { limit.value = to; };
    window.end = () => app.unmount();
    app.mount(document.body);
  }`;

async function component(source) {
  const set = (id, speed) => ambit.document.createOrReplace("bindings", "trucks", id, { speed });
  const rooms = async () => Object.keys((await ambit.realtime.list()).bindings?.trucks ?? {}).length;
  await ambit.document.deleteByQuery("bindings", "trucks", {});
  await set("a", 60);
  const page = await open(browser, url, "<!doctype html><title>test</title>");
  await page.addScriptTag({ content: await bundle(source, "test") });
  await page.evaluate((to) => bundled.start(to), url);
  const shows = (text) => page.waitForFunction((want) => document.querySelector("p")?.textContent === want, text);
  await shows("a of 1");
  await set("b", 55);
  await set("c", 5);
  await shows("b,a of 2");
  await page.evaluate(() => window.show(58));
  await shows("a of 1");
  await set("b", 70);
  await shows("a,b of 2");
  await page.evaluate(() => window.show("no number"));
  await shows("api.assert.koncorde_dsl_error");
  await page.evaluate(() => window.show(0));
  await shows("c,a,b of 3");
  if ((await rooms()) !== 1) throw new Error("what is not shown any more is still observed");
  await page.evaluate(() => window.end());
  for (const end = Date.now() + 10_000; (await rooms()) > 0; ) if (Date.now() > end) throw new Error("nobody has stopped what was shown");
  await page.close();
}

const parts = dir ? { dashboard } : { dashboard, react: () => component(react), vue: () => component(vue) };
let failed = false;
try {
  for (const [name, part] of Object.entries(parts)) {
    await part();
    process.stdout.write(`${name} ok\n`);
  }
} catch (e) {
  console.error(e);
  failed = true;
}
await ambit.close();
await browser.close();
process.exit(failed ? 1 : 0);
