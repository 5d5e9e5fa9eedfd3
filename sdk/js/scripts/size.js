// Bundles the package as an application would, without mqtt.js, prints how large it is, and fails if that is too much.
import { basename } from "node:path";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const most = 15 * 1024;

/** Prints how large what an application takes is, and fails if modules are in it that it must not have. */
async function size(name, contents, external, without = []) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: "." },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    target: "es2022",
    external: ["mqtt", ...external],
  });
  const { contents: code } = outputFiles[0];
  const bytes = gzipSync(code, { level: 9 }).length;
  console.log(`${name}: ${code.length} bytes, ${bytes} compressed`);
  for (const [input, { bytesInOutput }] of Object.entries(Object.values(metafile.outputs)[0].inputs)) {
    if (bytesInOutput > 0 && without.includes(basename(input, ".js"))) throw new Error(`${name}: ${input} stays in the bundle`);
  }
  return bytes;
}

const controllers = ["document", "realtime", "observe", "order", "presence", "channel"];

const all = await size("all of it", 'export * from "./dist/index.js"', []);
await size("connecting and publishing alone", 'export { Connection } from "./dist/index.js"', [], controllers);
const part = await size("requests about documents alone", 'export { Connection, DocumentController } from "./dist/index.js"', [], controllers.slice(1));
await size("with React", 'export * from "./dist/index.js"; export * from "./dist/react.js"', ["react"]);
await size("with Vue", 'export * from "./dist/index.js"; export * from "./dist/vue.js"', ["vue"]);
if (all > most) throw new Error(`${all} bytes are more than ${most}`);
if (part >= all * 0.7) throw new Error("what is not used stays in a bundle");
