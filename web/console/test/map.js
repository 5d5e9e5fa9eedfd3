// The live map: documents appear and move, what is drawn becomes a filter and events, rooms are fences, and a lost
// connection heals.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

export default async function map({ open, step, check, accessible, allow, tell, shot, client, ask, browser, http, mqtt }) {
  const page = await open("/");
  await page.getByRole("heading", { name: "Nothing to show yet" }).waitFor();
  await page.getByText("mosquitto_pub -q 1").waitFor();
  await accessible(page);
  step("says what to do first");

  let device = await client({ clientId: "device" });
  const put = (id, lat, lon, more = {}) => device.publishAsync(`fleet/trucks/${id}`, JSON.stringify({ position: { lat, lon }, ...more }), { qos: 1 });
  await put("a", 48.1, 11.5, { speed: 60 });
  await put("b", 48.2, 11.7);
  await put("c", 48.0, 11.3);
  await page.getByText(/^3 documents · 3 in view/).waitFor();
  check("the address", new URL(page.url()).pathname, "/map/fleet/trucks");
  await put("d", 48.05, 11.6);
  await page.getByText(/^4 documents/).waitFor();
  await device.publishAsync("fleet/trucks/d", "", { qos: 1 });
  await page.getByText(/^3 documents/).waitFor();
  step("shows documents");

  const a = await place(page, 48.1, 11.5);
  await page.getByRole("button", { name: "Draw a circle" }).click();
  await page.getByText("Drag from the centre").waitFor();
  await page.mouse.move(a.x, a.y);
  await page.mouse.down();
  await page.mouse.move(a.x + 40, a.y, { steps: 3 });
  await page.getByText(/^Radius/).waitFor();
  await page.mouse.up();
  const fence = page.getByRole("region", { name: "Fence 1" });
  await fence.getByText("1 in scope").waitFor();
  await fence.getByText("Nothing has entered or left so far.").waitFor();
  const topic = await fence.getByRole("group", { name: "Topic" }).innerText();
  check("the filter", topic, `fleet/trucks/?${await fence.getByRole("group", { name: "Filter" }).innerText()}`);
  const line = await fence.getByRole("group", { name: "In a shell" }).innerText();
  check("the line", line, `mosquitto_sub -h 127.0.0.1 -p ${mqtt.split(":")[1]} -t '${topic}'`);
  check("what it is", Object.keys(JSON.parse(topic.slice(topic.indexOf("?") + 1)).geoDistance), ["position", "distance"]);
  step("draws a circle");

  const other = await client();
  const printed = promisify(execFile)("sh", ["-c", `exec ${line} -C 1 -W 30`]);
  await until(async () => (await ask("room", "listOpen", {})).result.hits.some((r) => r.members === 2));
  const told = new Promise((resolve) => other.once("message", (_, payload) => resolve(JSON.parse(payload))));
  await other.subscribeAsync(topic);
  await put("b", 48.1, 11.5);
  await fence.getByRole("listitem").filter({ hasText: "enter" }).filter({ hasText: "b" }).waitFor();
  await fence.getByText("2 in scope").waitFor();
  const { transition, result } = await told;
  check("what the topic tells", [transition, result._id], ["enter", "b"]);
  check("what the line prints", JSON.parse((await printed).stdout).result._id, "b");
  await put("b", 48.2, 11.7);
  await fence.getByRole("listitem").filter({ hasText: "exit" }).filter({ hasText: "b" }).waitFor();
  await fence.getByText("1 in scope").waitFor();
  await accessible(page);
  step("tells who enters and leaves");

  for (const [tool, keyword] of [["box", "geoBoundingBox"], ["polygon", "geoPolygon"]]) {
    await page.getByRole("button", { name: `Draw a ${tool}` }).click();
    await page.locator(".map-hint").waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("group", { name: "Filter" }).filter({ hasText: keyword }).waitFor();
  }
  await page.getByRole("button", { name: "Draw a polygon" }).click();
  await page.getByText("Click the corners").waitFor();
  for (const [dx, dy] of [[-60, -60], [60, -60], [60, 60], [-60, 60], [-60, -60]]) await page.mouse.click(a.x + dx, a.y + dy);
  await page.getByRole("region", { name: "Fence 4" }).getByText("1 in scope").waitFor();
  await page.getByRole("button", { name: "Draw a box" }).click();
  await page.locator(".map-hint").waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".map-hint").waitFor({ state: "detached" });
  check("drawing", await page.locator(".drawing").count(), 0);
  step("draws boxes and polygons");

  await page.getByRole("button", { name: "Save as room" }).click();
  await page.getByLabel("Name of the room").fill("depot");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("button", { name: /^@depot/, pressed: false }).waitFor();
  const tab = await open("/map/fleet/trucks", { context: page.context() });
  await tab.getByRole("button", { name: /^@depot 1$/ }).waitFor();
  await put("c", 48.1, 11.5);
  await Promise.all([page, tab].map((p) => p.getByRole("button", { name: /^@depot 2$/ }).waitFor()));
  step("is the same in two tabs");

  await other.subscribeAsync('fleet/trucks/?{"geoDistance":{"position":{"lat":48.2,"lon":11.7},"distance":"2km"}}');
  const open1 = tab.getByRole("button", { name: /^~[0-9a-f]{8} 1$/ });
  await open1.click();
  await tab.getByRole("region", { name: /^~/ }).getByRole("group", { name: "Topic" }).filter({ hasText: "fleet/trucks/~" }).waitFor();
  check("drawn", await tab.evaluate(() => document.querySelector(".map").view.fences.some((f) => f.name.startsWith("~") && f.outlines.length === 1)), true);
  await other.unsubscribeAsync('fleet/trucks/?{"geoDistance":{"position":{"lat":48.2,"lon":11.7},"distance":"2km"}}');
  await open1.waitFor({ state: "detached" }); // this page alone is nobody else
  step("shows rooms that have no name");

  await tab.mouse.click(...Object.values(await place(tab, 48.2, 11.7)));
  const details = tab.getByRole("region", { name: "Document b" });
  await details.getByText('"lat": 48.2').waitFor();
  await put("b", 48.2, 11.7, { speed: 77 });
  await details.getByText('"speed": 77').waitFor();
  await details.getByLabel("Why it is in a fence, or not").selectOption("@depot");
  await details.getByText("not in scope").waitFor();
  await accessible(tab);
  check("the link", await details.getByRole("link", { name: "Open" }).getAttribute("href"), "/documents/fleet/trucks?id=b");
  await tab.emulateMedia({ colorScheme: "dark" });
  await accessible(tab);
  await shot(tab, "map-dark");
  step("shows a document");

  await tab.getByLabel("Filter").fill('{"range":{"speed":{"gt":70}}}');
  await tab.keyboard.press("Enter");
  await tab.getByText(/^1 documents/).waitFor();
  step("filters");

  allow(/WebSocket|ERR_CONNECTION|Failed to load/); // the browser says that the broker is gone
  await device.endAsync(true);
  await other.endAsync(true);
  await tell("kill");
  await page.getByText("Connecting …", { exact: true }).waitFor();
  await tell("start");
  await page.getByText("Connected", { exact: true }).waitFor();
  device = await client({ clientId: "device" });
  await put("e", 48.1, 11.5);
  await Promise.all([page, tab].map((p) => p.getByRole("button", { name: /^@depot 3$/ }).waitFor()));
  await page.getByText(/^4 documents/).waitFor();
  await device.publishAsync("fleet/trucks/e", "", { qos: 1 });
  await page.getByRole("button", { name: /^@depot 2$/ }).waitFor();
  await page.getByText(/^3 documents/).waitFor();
  step("heals");

  const phone = await open("/map/fleet/trucks", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 });
  await phone.getByText(/^3 documents/).waitFor();
  check("too wide by", await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  await accessible(phone);
  await shot(phone, "map-phone");
  step("fits a phone");
  await device.endAsync();
}

/** Where a position is in the page. */
const place = (page, lat, lon) =>
  page.evaluate(([lat, lon]) => {
    const host = document.querySelector(".map");
    const { x, y } = host.view.map.latLngToContainerPoint([lat, lon]);
    const box = host.getBoundingClientRect();
    return { x: box.x + x, y: box.y + y };
  }, [lat, lon]);

/** Tries until it is so, for some seconds. */
async function until(isSo) {
  for (const end = Date.now() + 15_000; !(await isSo()); ) if (Date.now() > end) throw new Error("it took too long");
}

