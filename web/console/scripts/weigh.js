// Prints what the built files weigh, compressed as the broker does, and fails if that is too much: node scripts/weigh.js [DIR].
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const dist = join(process.argv[2] ?? "dist", "/");
const most = 400 * 1024;
const asIs = /\.woff2$/; // compressed already
const notLoaded = /^(licenses\.md|fonts\.txt)$/;

const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(dist.length))
  .filter((name) => !notLoaded.test(name))
  .map((name) => {
    const bytes = readFileSync(join(dist, name));
    return { name, bytes: bytes.length, compressed: asIs.test(name) ? bytes.length : gzipSync(bytes, { level: 9 }).length };
  })
  .sort((a, b) => b.compressed - a.compressed);

for (const { name, bytes, compressed } of files) console.log(`${name}: ${bytes} bytes, ${compressed} compressed`);
const all = files.reduce((sum, file) => sum + file.compressed, 0);
console.log(`the console: ${all} bytes compressed, of ${most}`);
if (all > most) throw new Error(`${all} bytes are more than ${most}`);
