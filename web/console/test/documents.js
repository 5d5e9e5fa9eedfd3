// Documents: browsed, found, live, edited against somebody else, deleted, with their history.
export default async function documents({ open, step, check, accessible, shot, client }) {
  const page = await open("/documents");
  await page.getByRole("heading", { name: "There are no documents yet" }).waitFor();
  await page.getByText("mosquitto_pub").waitFor();
  await accessible(page);
  step("says what to do first");

  const device = await client();
  const put = (id, document, collection = "trucks") => device.publishAsync(`fleet/${collection}/${id}`, document === null ? "" : JSON.stringify(document), { qos: 1 });
  const ids = Array.from({ length: 60 }, (_, i) => `t${String(i).padStart(2, "0")}`);
  for (const [i, id] of ids.entries()) await put(id, { speed: i, type: i % 2 ? "van" : "bus" });
  await put("depot", { open: true }, "zones");
  const row = (id) => page.locator(`tr[data-id="${id}"]`);
  await row("t00").waitFor(); // by itself
  const tree = page.getByRole("navigation", { name: "Collections" });
  await tree.getByRole("link", { name: "zones" }).click();
  await row("depot").waitFor();
  await tree.getByRole("link", { name: "trucks" }).click();
  await row("t49").waitFor();
  check("rows of a page", await page.locator("tr[data-id]").count(), 50);
  await page.getByRole("button", { name: "Next page" }).click();
  await row("t59").waitFor();
  check("rows of two pages", await page.locator("tr[data-id]").count(), 60);
  await page.getByRole("button", { name: "speed", exact: true }).click();
  await page.getByRole("button", { name: "speed", exact: true }).click();
  await page.waitForFunction(() => document.querySelector("tr[data-id]")?.dataset.id === "t59");
  step("browses");

  const filter = page.getByRole("textbox", { name: "Filter" });
  await page.keyboard.press("/");
  await filter.fill('{"range":{"speed":{"above":50}}}');
  await page.keyboard.press("Enter");
  const fault = page.getByRole("alert");
  await fault.getByText('"above" is not an allowed attribute', { exact: false }).waitFor();
  check("the place", await fault.locator("mark").textContent(), '"above"');
  await accessible(page);
  await filter.fill('{"range":');
  await page.getByRole("button", { name: "Find" }).click();
  await fault.getByText("This is not JSON", { exact: false }).waitFor();
  await filter.fill('{"range":{"speed":{"gt":57}}}');
  await page.getByRole("button", { name: "Find" }).click();
  await page.getByText("2 match").waitFor();
  step("finds, or says what is wrong");

  await put("t01", { speed: 90, type: "van" });
  await row("t01").getByText("90").waitFor();
  check("the first by speed", await page.locator("tr[data-id]").first().getAttribute("data-id"), "t01");
  await put("t58", { speed: 1, type: "bus" });
  await row("t58").waitFor({ state: "detached" });
  await page.getByText("2 match").waitFor();
  step("is live");

  await row("t01").getByRole("link").click();
  const panel = page.getByRole("complementary", { name: "Document t01" });
  await panel.getByText("version 2").waitFor();
  await panel.getByText("version 1").waitFor();
  const history = panel.locator(".history li");
  check("changes", await history.count(), 2);
  await history.first().getByText("→").waitFor();
  await accessible(page);
  await shot(page, "documents");
  step("has a history");

  await panel.getByRole("button", { name: "Edit", exact: true }).click();
  const json = panel.getByRole("textbox", { name: "JSON" });
  await json.fill("[1]");
  await panel.getByRole("button", { name: "Save" }).click();
  await panel.getByText("A document is a JSON object.").waitFor();
  await json.fill('{"speed":91');
  await panel.getByRole("button", { name: "Save" }).click();
  await panel.getByText("This is not JSON", { exact: false }).waitFor();
  await json.fill('{"speed":91,"checked":true}');
  await panel.getByRole("button", { name: "Save" }).click();
  await panel.getByRole("button", { name: "Edit", exact: true }).click();
  await json.fill('{"speed":92}');
  await put("t01", { speed: 93 });
  await panel.getByText("It has changed since you began", { exact: false }).waitFor();
  await accessible(page);
  await panel.getByRole("button", { name: "Take that instead" }).click();
  check("taken", JSON.parse(await json.inputValue()), { speed: 93 });
  await put("t01", { speed: 94 });
  await panel.getByRole("button", { name: "Replace it anyway" }).click();
  await panel.getByRole("group", { name: "Document" }).getByText("93").waitFor();
  step("is edited, against others too");

  await page.getByRole("button", { name: "New document" }).click();
  const form = page.getByRole("form", { name: "New document" });
  await form.getByRole("textbox", { name: "Id" }).fill("t02");
  await form.getByRole("button", { name: "Create" }).click();
  await form.getByText("Document already exists.").waitFor();
  await form.getByRole("textbox", { name: "Id" }).fill("t99");
  await form.getByRole("textbox", { name: "JSON" }).fill('{"speed":99}');
  await form.getByRole("button", { name: "Create" }).click();
  const made = page.getByRole("complementary", { name: "Document t99" });
  await row("t99").waitFor();
  await made.getByRole("button", { name: "Delete" }).click();
  await made.getByRole("button", { name: "No" }).click();
  await made.getByRole("button", { name: "Delete" }).click();
  await made.getByRole("button", { name: "Yes" }).click();
  await row("t99").waitFor({ state: "detached" });
  step("makes and deletes");

  await page.emulateMedia({ colorScheme: "dark" });
  await accessible(page);
  const phone = await open("/documents/fleet/trucks", { viewport: { width: 390, height: 844 } });
  await phone.locator('tr[data-id="t03"]').waitFor();
  check("too wide by", await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  await shot(phone, "documents-phone");
  await phone.getByRole("link", { name: "t03" }).click();
  await phone.getByRole("complementary", { name: "Document t03" }).getByText("version 1").waitFor();
  check("too wide by", await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  await accessible(phone);
  await phone.getByRole("button", { name: "Close" }).click();
  await phone.locator('tr[data-id="t03"]').waitFor();
  step("fits a phone");
  await device.endAsync();
}
