import { fileURLToPath } from "node:url";

import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const broker = process.env.AMBIT ?? "http://127.0.0.1:8080"; // of `npx vite`, for who works on the console

// File names have no hashes: the broker says by an ETag whether a file is another one, and the
// difference of two builds is that of their contents.
export default defineConfig({
  root: here("."),
  resolve: {
    alias: {
      "@ambit/client": here("../../sdk/js/src/index.ts"),
      mqtt: here("node_modules/mqtt/dist/mqtt.esm.js"),
    },
  },
  build: {
    outDir: "dist",
    target: ["chrome120", "firefox121", "safari17"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    license: { fileName: "licenses.md" },
    rolldownOptions: {
      // The worker of the map is a page of its own, so that it shares the client with the first.
      input: { index: here("index.html"), feed: here("src/screens/map/feed.worker.ts") },
      output: {
        codeSplitting: { groups: [{ name: "client", test: /sdk\/js\/src|node_modules\/mqtt\// }] },
        entryFileNames: "assets/[name].js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/[name][extname]",
      },
    },
  },
  server: { proxy: { "/api": broker, "/metrics": broker, "/mqtt": { target: broker, ws: true } } },
});
