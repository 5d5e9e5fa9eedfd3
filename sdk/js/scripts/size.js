// Bundles the package as an application would, without mqtt.js, prints how large it is, and fails if that is too much.
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const most = 15 * 1024;

async function size(name, contents, external) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: "." },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
    external: ["mqtt", ...external],
  });
  const { contents: code } = outputFiles[0];
  const bytes = gzipSync(code, { level: 9 }).length;
  console.log(`${name}: ${code.length} bytes, ${bytes} compressed`);
  return bytes;
}

const all = await size("all of it", 'export * from "./dist/index.js"', []);
const part = await size("requests about documents alone", 'export { Connection, DocumentController } from "./dist/index.js"', []);
await size("with React", 'export * from "./dist/index.js"; export * from "./dist/react.js"', ["react"]);
await size("with Vue", 'export * from "./dist/index.js"; export * from "./dist/vue.js"', ["vue"]);
if (all > most) throw new Error(`${all} bytes are more than ${most}`);
if (part >= all * 0.7) throw new Error("what is not used stays in a bundle");
