// A broker in a process of its own, on one store, which may be killed and started again.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export class Broker {
  constructor(program, files) {
    Object.assign(this, { program, files, http: "127.0.0.1:0", mqtt: "127.0.0.1:0", log: [] });
  }

  /** Starts it, and waits until it listens: where it did before, if it was there before. */
  async start() {
    this.dir ??= await mkdtemp(join(tmpdir(), "ambit-pocketbase-"));
    for (const [name, text] of Object.entries(this.files)) await writeFile(join(this.dir, name), text);
    const settings = ["--config", "ambit.yaml", "--data", "data", "--mqtt", this.mqtt, "--http", this.http];
    this.process = spawn(this.program, ["serve", ...settings], {
      cwd: this.dir, stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, AMBIT_LOG_FORMAT: "json" },
    });
    for await (const text of createInterface({ input: this.process.stderr })) {
      this.log.push(text);
      const line = parse(text);
      if (line?.msg === "listening" && line.websocket) {
        this.mqtt = line.mqtt;
        this.http = new URL(line.websocket).host;
        this.process.stderr.on("data", (more) => this.log.push(String(more))).resume();
        return;
      }
    }
    throw new Error(`the broker does not start:\n${this.log.join("\n")}`);
  }

  get port() {
    return Number(this.http.split(":")[1]);
  }

  async end(signal) {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, "exit");
    this.process.kill(signal);
    await ended;
  }

  /** Runs the command to its end, in the directory of the broker. */
  async ambit(...args) {
    const [code] = await once(spawn(this.program, args, { cwd: this.dir, stdio: "ignore" }), "exit");
    if (code !== 0) throw new Error(`ambit ${args.join(" ")} exits ${code}`);
  }

  /** Writes a file of the broker's anew, which it reads by itself. */
  async write(file, text) {
    await writeFile(join(this.dir, `${file}.new`), text);
    await rename(join(this.dir, `${file}.new`), join(this.dir, file));
  }

  kill() {
    return this.end("SIGKILL");
  }

  async close() {
    await this.end("SIGTERM");
    await rm(this.dir, { recursive: true, force: true });
  }

  /** Makes a request over HTTP, as somebody with a token, or as nobody. */
  async ask(controller, action, request = {}, token) {
    const headers = { Connection: "close", ...(token && { Authorization: `Bearer ${token}` }) }; // Node.js may be too busy to see that an idle one has ended
    const response = await fetch(`http://${this.http}/api/${controller}/${action}`, { method: "POST", body: JSON.stringify(request), headers });
    return response.json();
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Runs a program of Mosquitto's, and returns the lines that it printed. */
export async function mosquitto(name, broker, ...args) {
  const child = spawn(name, ["-h", "127.0.0.1", "-p", broker.mqtt.split(":")[1], ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const lines = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(line);
  const [code] = await exited;
  if (code !== 0) throw new Error(`${name} ${args.join(" ")} exits ${code}`);
  return lines;
}
