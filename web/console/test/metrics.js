// Metrics: what clients do shows, over time, to those who may see it.
export default async function metrics({ open, step, check, accessible, shot, client, allow }) {
  const page = await open("/monitor");
  const chart = (title) => page.locator(".chart").filter({ has: page.getByRole("heading", { name: title, exact: true }) });
  const value = (title, line) => chart(title).locator("li", { hasText: line }).locator("b");
  await value("Connections", "connected").getByText("1", { exact: true }).waitFor();
  step("tells of connections");

  const device = await client();
  const wall = await client();
  await wall.subscribeAsync('fleet/trucks/?{"range":{"speed":{"gt":50}}}', { qos: 1 });
  await value("Connections", "connected").getByText("3", { exact: true }).waitFor();
  let n = 0;
  const flow = setInterval(() => device.publish("fleet/trucks/a", JSON.stringify({ speed: n++ % 100 }), { qos: 1 }), 20);
  const moves = (title, line) => page.waitForFunction(([title, line]) => {
    const chart = [...document.querySelectorAll(".chart")].find((c) => c.querySelector("h2").textContent === title);
    return parseFloat([...chart.querySelectorAll("li")].find((l) => l.textContent.includes(line)).querySelector("b").textContent) > 0;
  }, [title, line]);
  for (const [title, line] of [["Messages", "in"], ["Messages", "out"], ["Notifications", "enter"], ["Notifications", "stay"], ["Notifications", "exit"], ["Matching", "changes"], ["Time to match", "99 %"], ["Time to sync", "median"], ["Round trip", "this page"], ["Store", "on disk"]]) await moves(title, line);
  await device.publishAsync("$nonsense/x", "1", { qos: 1 }).catch(() => {}); // it is refused
  await moves("Dropped and refused", "refused");
  clearInterval(flow);
  await accessible(page);
  await shot(page, "metrics");
  step("tells what clients do");

  const drawn = await page.evaluate(() => [...document.querySelectorAll(".plot canvas")].map((c) => {
    const { data } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
    let n = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] > 0) n++;
    return n > 500;
  }));
  check("what is drawn", [drawn.length >= 10, drawn.every(Boolean)], [true, true]);
  await page.getByRole("link", { name: "Rooms" }).click();
  await page.goBack();
  await page.getByRole("radio", { name: "2 min" }).check();
  await moves("Time to sync", "median"); // it has gone on meanwhile
  step("draws, and goes on behind other screens");

  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
  await accessible(page);
  const phone = await open("/monitor", { viewport: { width: 390, height: 844 } });
  await phone.locator(".chart").first().waitFor();
  check("too wide by", await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  await shot(phone, "metrics-phone");
  step("fits a phone");

  allow(/403/); // the browser says of each refusal that there was one
  const context = page.context();
  await context.route("**/metrics", (route) => route.continue({ headers: { ...route.request().headers(), "X-Forwarded-For": "203.0.113.7" } })); // as through a proxy
  allow(/401/);
  await page.getByText("may not read the figures of this broker", { exact: false }).waitFor();
  await accessible(page);
  step("says who may see it");
  await device.endAsync();
  await wall.endAsync();
}
