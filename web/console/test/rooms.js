// Rooms: those that somebody is in, and those with a name, which is made, changed and deleted.
export default async function rooms({ open, step, check, accessible, shot, client }) {
  const page = await open("/rooms");
  await page.getByRole("heading", { name: "There are no rooms yet" }).waitFor();
  await accessible(page);
  step("says what to do first");

  const device = await client({ clientId: "device" });
  const wall = await client({ clientId: "wall" });
  const put = (id, document) => device.publishAsync(`fleet/trucks/${id}`, JSON.stringify(document), { qos: 1 });
  await put("a", { speed: 60 });
  await put("b", { speed: 70 });
  await wall.subscribeAsync('fleet/trucks/?{"range":{"speed":{"gt":50}}}', { qos: 1 });
  const row = (text) => page.locator("tbody tr.can").filter({ hasText: text });
  await row('"gt":50').waitFor(); // by itself
  await row('"gt":50').locator('[data-label="In scope"]').getByText("2", { exact: true }).waitFor();
  check("members", (await row('"gt":50').locator('[data-label="Members"]').textContent()).trim(), "1");
  let n = 0;
  const flow = setInterval(() => device.publish("fleet/trucks/a", JSON.stringify({ speed: 60 + (n++ % 9) })), 50);
  await page.waitForFunction(() => Number(document.querySelector('[data-label="Per second"]')?.textContent) > 5);
  clearInterval(flow);
  step("shows members, scope and rate");

  await page.getByRole("button", { name: "Name a room" }).click();
  const form = page.getByRole("form", { name: "Name a room" });
  await form.getByRole("combobox", { name: "Collection" }).fill("fleet");
  await form.getByRole("textbox", { name: "Name" }).fill("fast");
  await form.getByRole("button", { name: "Make it" }).click();
  await form.getByText("An index and a collection, such as fleet/trucks.").waitFor();
  await form.getByRole("combobox", { name: "Collection" }).fill("fleet/trucks");
  await form.getByRole("textbox", { name: "Filter" }).fill('{"range":{"speed":{"above":65}}}');
  await form.getByRole("button", { name: "Make it" }).click();
  await form.getByText("is not an allowed attribute", { exact: false }).waitFor();
  check("the place", await form.locator("mark").textContent(), '"above"');
  await accessible(page);
  await form.getByRole("textbox", { name: "Filter" }).fill('{"range":{"speed":{"gt":65}}}');
  await form.getByRole("textbox", { name: "Name" }).fill("no/slash");
  await form.getByRole("button", { name: "Make it" }).click();
  await form.locator(".said").waitFor();
  check("the name is marked", await form.getByRole("textbox", { name: "Name" }).getAttribute("aria-invalid"), "true");
  await form.getByRole("textbox", { name: "Name" }).fill("fast");
  await form.getByRole("button", { name: "Make it" }).click();
  const panel = page.getByRole("complementary", { name: "Room of fleet/trucks @fast" });
  await panel.waitFor();
  await row("@fast").waitFor();
  await panel.getByText("Nobody but this page.").waitFor();
  step("gives a name, or says where it is wrong");

  await wall.subscribeAsync("fleet/trucks/@fast", { qos: 1 });
  await panel.getByRole("link", { name: "wall" }).waitFor();
  await panel.getByRole("heading", { name: "1 member", exact: true }).waitFor(); // this page is one, too
  await row("@fast").locator('[data-label="Members"]').getByText("1", { exact: true }).waitFor();
  await panel.getByText("documents in scope", { exact: false }).or(panel.getByText("1 document in scope")).first().waitFor();
  const event = (...texts) => texts.reduce((of, hasText) => of.filter({ hasText }), panel.locator(".events li"));
  await until(async () => {
    await put("c", { speed: 80 }); // until the room tells
    return (await event("c").count()) > 0;
  });
  await put("c", { speed: 10 });
  await event("exit", "c").waitFor();
  await put("c", { speed: 90 });
  await event("enter", "c", '"speed":90').waitFor();
  await panel.getByRole("link", { name: "c", exact: true }).waitFor();
  await accessible(page);
  await shot(page, "rooms");
  step("tells of members and events");

  await panel.getByRole("button", { name: "Edit" }).click();
  const edit = panel.getByRole("form", { name: "Edit @fast" });
  await edit.getByRole("textbox", { name: "Filter" }).fill('{"range":{"speed":{"gt":85}}}');
  await edit.getByRole("button", { name: "Save" }).click();
  await page.getByRole("group", { name: "Filter" }).getByText("85").waitFor();
  await page.getByRole("link", { name: "On the map" }).click();
  await page.getByRole("heading", { name: "Map", level: 1 }).waitFor();
  check("the filter of the map", new URL(page.url()).searchParams.get("filter"), '{"range":{"speed":{"gt":85}}}');
  await page.goBack();
  await page.getByRole("link", { name: "Follow" }).click();
  await page.getByRole("button", { name: "Stop following fleet/trucks/@fast" }).waitFor();
  await page.goBack();
  await page.goto(page.url().replace(/notifications.*/, "rooms/fleet/trucks/@fast"));
  await panel.getByRole("button", { name: "Delete" }).click();
  await panel.getByRole("button", { name: "Yes" }).click();
  await row("@fast").waitFor({ state: "detached" });
  step("changes and deletes a name");

  await page.emulateMedia({ colorScheme: "dark" });
  await accessible(page);
  const phone = await open("/rooms", { viewport: { width: 390, height: 844 } });
  await phone.locator("tbody tr.can").first().click();
  await phone.getByRole("complementary").getByText("Last events").waitFor();
  check("too wide by", await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  await accessible(phone);
  await shot(phone, "rooms-phone");
  step("fits a phone");
  await device.endAsync();
  await wall.endAsync();
}

/** Tries until it is so, for some seconds. */
async function until(isSo) {
  for (const end = Date.now() + 15_000; !(await isSo()); ) if (Date.now() > end) throw new Error("it took too long");
}
