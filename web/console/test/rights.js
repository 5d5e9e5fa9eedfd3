// Users who may do a part: each screen shows that, and says what is missing.
export default async function rights({ open, step, check, accessible, allow, tell, client }) {
  allow(/401|403/);
  const key = (user, role) => tell(`ambit apikey create ${user} --role ${role} --expires 1h`);
  const boss = await client({ username: "boss", password: await key("boss", "boss") });
  const put = (topic, document) => boss.publishAsync(topic, JSON.stringify(document), { qos: 1 });
  await put("fleet/trucks/a", { speed: 60, position: [48, 11] });
  await put("fleet/vans/b", { speed: 60, position: [48, 11] });

  const enter = async (secret) => {
    const page = await open("/");
    await page.getByRole("radio", { name: "Token or API key" }).check();
    await page.locator("input[name=secret]").fill(secret);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("navigation", { name: "Screens" }).waitFor();
    return page;
  };
  const go = async (page, screen) => {
    await page.getByRole("link", { name: screen, exact: true }).click();
    await page.getByRole("heading", { name: screen, level: 1 }).waitFor();
  };

  const guest = await enter(await key("guest", "guest"));
  await go(guest, "Map");
  await guest.getByLabel("Collection").fill("fleet/trucks");
  await guest.getByRole("button", { name: "Show" }).click();
  await guest.getByRole("alert").filter({ hasText: "realtime:subscribe" }).waitFor();
  await accessible(guest);
  await go(guest, "Documents");
  await guest.getByLabel("Collection").fill("fleet/trucks");
  await guest.getByRole("button", { name: "Show" }).click();
  await guest.getByRole("alert").filter({ hasText: "not authorized to execute the action" }).waitFor();
  await accessible(guest);
  await go(guest, "Rooms");
  await guest.getByRole("alert").filter({ hasText: "room:list" }).waitFor();
  await go(guest, "Notifications");
  await guest.getByLabel("Topic").fill("home/#");
  await guest.keyboard.press("Enter");
  await guest.getByRole("alert").filter({ hasText: "not authorized" }).waitFor();
  await accessible(guest);
  await go(guest, "Clients");
  await guest.getByText("guest has not the role admin").waitFor();
  await guest.getByRole("alert").filter({ hasText: "It is about who is online." }).waitFor();
  await accessible(guest);
  step("says what who may nothing may not");

  const reader = await enter(await key("rita", "reader"));
  await reader.getByText(/^1 documents/).waitFor();
  await go(reader, "Documents");
  await reader.getByRole("link", { name: "a", exact: true }).click();
  const panel = reader.getByRole("complementary", { name: "Document a" });
  const text = panel.getByRole("group", { name: "Document", exact: true });
  await text.getByText('"speed": 60').waitFor();
  check("collections", await reader.getByText("vans").count(), 0);
  await put("fleet/trucks/a", { speed: 61, position: [48, 11] });
  await text.getByText('"speed": 61').waitFor();
  step("shows a reader one collection");

  await panel.getByRole("button", { name: "Edit" }).click();
  await panel.getByRole("textbox").fill('{"speed":1}');
  await panel.getByRole("button", { name: "Save" }).click();
  await panel.getByRole("alert").filter({ hasText: /not (authorized|allowed)|Insufficient|rules/ }).waitFor();
  await accessible(reader);
  await go(reader, "Rooms");
  await reader.getByText("Rooms without a name are not shown to you").waitFor();
  await reader.getByRole("heading", { name: "There are no rooms yet" }).waitFor();
  await accessible(reader);
  step("says what a reader may not");
  await boss.endAsync();
}
