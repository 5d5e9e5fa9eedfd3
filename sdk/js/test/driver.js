// The client, driven by the tests: one JSON command per line on standard input,
// one JSON line on standard output for each answer and each change of what is observed.
//
//   node test/driver.js VERSION [CHROMIUM]
//   < {"do":"open","url":"ws://127.0.0.1:8080/mqtt"}   > {"done":true}
//   < {"do":"observe","name":"o","get":"1"}            > {"name":"o","state":{"hits":[…],"total":1,"told":[…]}}
//                                                      > {"done":true}
//
// With the path of Chromium the client runs in a page there. Another open ends what was open.
import { createInterface } from "node:readline";

import { open } from "./commands.js";

const [version, chromium] = process.argv.slice(2);
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

function inNode() {
  let run;
  return {
    async open(url, options) {
      await run?.({ do: "close" });
      run = undefined;
      run = await open(url, Number(version), tell, options);
    },
    run: (command) => run(command),
    close: () => process.exit(0),
  };
}

async function inChromium() {
  const pages = await import("./browser.js");
  const script = await pages.bundle('export { open } from "./commands.js"', "test");
  const browser = await pages.launch(chromium);
  let page;
  return {
    async open(url) {
      await page?.close();
      page = await pages.open(browser, url, "<!doctype html><title>test</title>");
      await page.exposeFunction("tell", tell);
      await page.addScriptTag({ content: script });
      await page.evaluate(async ([to, v]) => {
        window.run = await bundled.open(to, v, window.tell);
      }, [url, Number(version)]);
    },
    run: (command) => page.evaluate((c) => window.run(c), command),
    close: () => browser.close(),
  };
}

const client = await (chromium ? inChromium() : inNode());
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    const result = await (command.do === "open" ? client.open(command.url, command.options) : client.run(command));
    tell({ done: true, result: result ?? null });
  } catch (e) {
    tell({ done: true, error: e.message });
  }
}
await client.close();
