// The client, driven by the tests: one JSON command per line on standard input,
// one JSON line on standard output for each answer and each change of what is observed.
//
//   node test/driver.js VERSION [CHROMIUM]
//   < {"do":"open","url":"ws://127.0.0.1:8080/mqtt"}   > {"done":true}
//   < {"do":"observe","name":"o","get":"1"}            > {"name":"o","state":{"hits":[…],"total":1,"told":[…]}}
//                                                      > {"done":true}
//
// With the path of Chromium the clients run in a page there. Commands may name one of several clients as `by`, which is
// its client identifier; close ends all of them.
import { createInterface } from "node:readline";

import { open } from "./commands.js";

const [version, chromium] = process.argv.slice(2);
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

function inNode() {
  const clients = new Map();
  return {
    async open({ by, url, options }) {
      await clients.get(by)?.({ do: "close" });
      clients.delete(by);
      clients.set(by, await open(url, Number(version), tell, { ...options, ...(by && { clientId: by }) }));
    },
    run: (command) => clients.get(command.by)(command),
    async close() {
      await Promise.all([...clients.values()].map((run) => run({ do: "close" })));
      clients.clear();
    },
    end: () => process.exit(0),
  };
}

async function inChromium() {
  const pages = await import("./browser.js");
  const script = await pages.bundle('export { open } from "./commands.js"', "test");
  const browser = await pages.launch(chromium);
  let page;
  return {
    async open({ by, url, options }) {
      if (!page) {
        page = await pages.open(browser, url, "<!doctype html><title>test</title>");
        await page.exposeFunction("tell", tell);
        await page.addScriptTag({ content: script });
        await page.evaluate(() => (window.clients = new Map()));
      }
      await page.evaluate(async ([name, to, v, o]) => {
        window.clients.set(name, await bundled.open(to, v, window.tell, { ...o, ...(name && { clientId: name }) }));
      }, [by, url, Number(version), options]);
    },
    run: (command) => page.evaluate((c) => window.clients.get(c.by)(c), command),
    async close() {
      await page?.close();
      page = undefined;
    },
    end: () => browser.close(),
  };
}

const client = await (chromium ? inChromium() : inNode());
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    const result = await (command.do === "open" ? client.open(command) : command.do === "close" ? client.close() : client.run(command));
    tell({ done: true, result: result ?? null });
  } catch (e) {
    tell({ done: true, error: e.message });
  }
}
await client.end();
