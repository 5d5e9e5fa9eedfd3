// Live notifications: any topic, pause, search, explain, within bounds, and over a lost connection.
export default async function notifications({ open, step, check, accessible, allow, tell, shot, client }) {
  const page = await open("/notifications");
  await page.getByRole("heading", { name: "Follow a room, or any topic" }).waitFor();
  await accessible(page);
  step("says what to do first");

  let device = await client();
  const put = (id, document) => device.publishAsync(`fleet/trucks/${id}`, JSON.stringify(document), { qos: 1 });
  const follow = async (topic) => {
    await page.getByRole("combobox", { name: "Topic" }).fill(topic);
    await page.getByRole("button", { name: "Follow", exact: true }).click();
    await page.getByRole("button", { name: `Stop following ${topic}`, exact: true }).waitFor();
  };
  const row = (...texts) => texts.reduce((rows, hasText) => rows.filter({ hasText }), page.locator("tbody tr"));
  await follow('fleet/trucks/?{"range":{"speed":{"gt":50}}}');
  await follow("home/+/temperature");
  await page.getByRole("heading", { name: "Nothing has come so far" }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".chip").length === 2);
  await subscribed(put, row); // until the room tells
  await put("a", { speed: 60 });
  await row("enter", "a", '"speed":60').waitFor();
  await put("a", { speed: 30 });
  await row("exit", "a").waitFor();
  await device.publishAsync("home/kitchen/temperature", "21.5");
  await row("message", "home/kitchen/temperature", "21.5").waitFor();
  step("tells of rooms and topics");

  await follow("fleet/trucks/?{broken");
  await page.getByRole("alert").waitFor();
  await accessible(page);
  await page.getByRole("button", { name: "Stop following fleet/trucks/?{broken" }).click();
  await page.getByRole("alert").waitFor({ state: "detached" });
  step("says what is wrong");

  await row("exit", "a").click();
  const details = page.getByRole("region", { name: /^Message/ });
  await details.getByRole("button", { name: "Explain" }).click();
  await details.getByText("not in scope").waitFor();
  await details.getByText("does not hold:").waitFor();
  await details.getByLabel("Explain by the filter").fill('{"exists":"speed"}');
  await details.getByRole("button", { name: "Explain" }).click();
  await details.getByText("in scope", { exact: true }).waitFor();
  await accessible(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await accessible(page);
  await shot(page, "notifications-dark");
  await details.getByRole("button", { name: "Close" }).click();
  step("explains");

  await page.getByRole("button", { name: "Pause" }).click();
  await put("b", { speed: 70 });
  await page.getByRole("button", { name: "Go on (1 new)" }).waitFor();
  check("while paused", await row("enter", "b").count(), 0);
  await page.getByRole("button", { name: "Go on (1 new)" }).click();
  await row("enter", "b").waitFor();
  step("pauses");

  await page.keyboard.press("/");
  await page.keyboard.type("kitchen");
  await row("21.5").waitFor();
  check("found", await row().count(), 1);
  await page.getByRole("searchbox").fill("");
  await page.getByRole("radio", { name: "Exit" }).check();
  await row("exit", "a").waitFor();
  check("exits alone", await row("enter").count(), 0);
  await page.getByRole("radio", { name: "All" }).check();
  step("searches");

  for (let i = 0; i < 2500; i++) device.publish("home/hall/temperature", `${i}`);
  await row("2499").waitFor();
  const said = await page.locator(".notes-count").innerText();
  check(`kept (${said})`, /of 2,000 kept/.test(said), true);
  check("rows", await row().count(), 200);
  step("is bounded");

  allow(/WebSocket|ERR_CONNECTION|Failed to load/);
  await device.endAsync(true);
  await page.getByRole("button", { name: "Clear" }).click();
  await tell("kill");
  await page.getByText("Connecting …", { exact: true }).waitFor();
  await tell("start");
  await page.getByText("Connected", { exact: true }).waitFor();
  device = await client();
  await subscribed(put, row);
  await page.getByRole("link", { name: "Rooms" }).click();
  await put("b", { speed: 10 });
  await page.getByRole("link", { name: "Notifications" }).click();
  await row("exit", "b").waitFor();
  step("heals, and goes on behind other screens");
  await device.endAsync();
}

/** Publishes until the room tells of it: a subscription takes a moment. */
async function subscribed(put, row) {
  for (let speed = 100; ; speed++) {
    await put("first", { speed });
    try {
      await row("first").first().waitFor({ timeout: 500 });
      return;
    } catch {
      if (speed > 130) throw new Error("the room tells nothing");
    }
  }
}
