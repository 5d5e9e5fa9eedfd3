// A page of real Chromium, and scripts for it.
import { build } from "esbuild";
import { chromium } from "playwright-core";

/** Bundles a module for a page, where its exports are members of `bundled`. */
export async function bundle(contents, resolveDir) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    write: false,
    format: "iife",
    globalName: "bundled",
    define: { "process.env.NODE_ENV": '"production"', __VUE_OPTIONS_API__: "false", __VUE_PROD_DEVTOOLS__: "false", __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false" },
  });
  return outputFiles[0].text;
}

/** Starts Chromium. */
export function launch(executablePath) {
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/** Opens a page with its address at the broker, whose answer to a GET is the only page that is there. */
export async function open(browser, broker, html) {
  const page = await browser.newPage();
  page.on("pageerror", (e) => {
    process.stderr.write(`${e.stack}\n`);
    process.exit(1); // nobody has handled it: in Node.js that would be the end, too
  });
  await page.goto(new URL("/api/server/now", broker.replace(/^ws/, "http")).href);
  await page.setContent(html);
  return page;
}
