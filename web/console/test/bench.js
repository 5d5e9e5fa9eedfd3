// Measures the live map while many documents move: see BenchmarkMap in test/console.
import { readFileSync, readdirSync } from "node:fs";

const seconds = 15;
const movers = Number(process.argv[7]);

export default async function bench({ open, step, browser }) {
  const page = await open("/map/fleet/trucks", { viewport: { width: 1600, height: 900 } });
  await page.waitForFunction((n) => document.querySelector(".map")?.view?.feed()?.slotOf.size === n, movers, { timeout: 60_000 });
  const before = await threads(browser);
  const measured = await page.evaluate(async (seconds) => {
    const { view } = document.querySelector(".map");
    const places = [[48, 10, 5], [47, 4, 6], [52, 15, 6], [45, 8, 7], [50, 10, 4.5]]; // latitude, longitude, zoom
    const frames = [];
    const rates = [];
    const views = [];
    const drawn = view.drawn;
    const begun = performance.now();
    let last = begun;
    let moved = 0;
    await new Promise((resolve) => {
      const frame = (now) => {
        frames.push(now - last);
        last = now;
        const second = Math.floor((now - begun) / 1000);
        if (second >= seconds) return resolve();
        if (second > moved) {
          moved = second;
          views.push(view.inView);
          rates.push(Number(/([\d,]+) updates/.exec(document.body.innerText)[1].replaceAll(",", "")));
          const [lat, lon, zoom] = places[second % places.length];
          view.map.setView([lat, lon], zoom, { animate: false });
        }
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    });
    frames.sort((a, b) => a - b);
    return { fps: (1000 * frames.length) / (last - begun), drawn: (1000 * (view.drawn - drawn)) / (last - begun), p95: frames[Math.floor(frames.length * 0.95)], longest: frames.at(-1), rates, views };
  }, seconds);
  const { fps, drawn, p95, longest, rates, views } = measured;
  step(`${movers} documents, ${rates.join(" ")} updates a second came; in view ${views.join(" ")}`);
  step(`${fps.toFixed(1)} frames a second, ${drawn.toFixed(1)} of them with something new; 95 in 100 took less than ${p95.toFixed(1)} ms, the longest ${longest.toFixed(1)} ms`);
  const after = await threads(browser);
  const spent = (name) => (after[name] ?? 0) - (before[name] ?? 0); // milliseconds of a processor
  step(`of a processor, the page took ${(spent("page") / (drawn * seconds)).toFixed(1)} ms a frame with something new, and its worker ${((1000 * spent("worker")) / (seconds * mean(rates))).toFixed(1)} µs an update`);
  step(`the tab has ${(await tabBytes(browser)).map((mb) => `${mb.toFixed(0)} MB`).join(", ")}`);
}

/** What the processes of pages take, in megabytes, the shared parts by their share. */
async function tabBytes(browser) {
  return (await renderers(browser))
    .map((p) => Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${p.id}/smaps_rollup`, "utf8"))[1]) / 1024)
    .sort((a, b) => b - a);
}

async function renderers(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  return processInfo.filter((p) => p.type === "renderer");
}

const mean = (numbers) => numbers.reduce((sum, n) => sum + n, 0) / numbers.length;

/** How many milliseconds of a processor the page and its worker have taken, whoever else wants it. */
async function threads(browser) {
  const taken = { page: 0, worker: 0 };
  for (const { id } of await renderers(browser)) {
    for (const task of readdirSync(`/proc/${id}/task`)) {
      const stat = readFileSync(`/proc/${id}/task/${task}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const ticks = Number(fields[11]) + Number(fields[12]); // utime and stime, in hundredths of a second
      if (Number(task) === id) taken.page += ticks * 10;
      else if (stat.includes("(DedicatedWorker")) taken.worker += ticks * 10;
    }
  }
  return taken;
}
