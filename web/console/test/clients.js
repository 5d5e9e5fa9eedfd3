// Clients: who is connected and kept, what waits for them, why they went; disconnected, banned and let in again.
export default async function clients({ open, step, check, accessible, shot, client }) {
  const page = await open("/clients");
  await page.getByText("Sign in as an administrator", { exact: false }).waitFor();
  await page.getByText("ambit passwd users.txt anna --role admin").waitFor();
  const stranger = await client({ clientId: "stranger" });
  await page.locator("tr", { hasText: "stranger" }).getByText("online").waitFor();
  await stranger.endAsync();
  await page.locator("tr", { hasText: "stranger" }).waitFor({ state: "detached" });
  await page.getByRole("radio", { name: "With 1 gone" }).check();
  await page.locator("tr", { hasText: "stranger" }).getByText("normal disconnection").waitFor();
  await accessible(page);
  step("tells who is online to who may not see more");

  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Name", { exact: true }).fill("anna");
  await page.getByLabel("Password", { exact: true }).fill("correct horse");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Only this page is connected" }).waitFor();
  await accessible(page);
  step("says what to do first");

  const row = (text) => page.locator("tbody tr.can").filter({ hasText: text });
  const kept = await client({ clientId: "night-shift", clean: false, properties: { sessionExpiryInterval: 3600 } });
  await kept.subscribeAsync("home/#", { qos: 1 });
  await kept.endAsync();
  const phone = await client({ clientId: "phone", username: "anna", password: "correct horse", reconnectPeriod: 0 });
  await phone.subscribeAsync('fleet/trucks/?{"range":{"speed":{"gt":50}}}', { qos: 1 });
  for (const text of ["on", "off"]) await phone.publishAsync("home/lamp", text, { qos: 1 });
  await phone.publishAsync("$nonsense/x", "1", { qos: 1 }).catch(() => {}); // it is refused
  await row("phone").getByText("published by the broker", { exact: false }).waitFor(); // its last fault
  check("who is absent is shown", await row("night-shift").count(), 0);
  await page.getByRole("radio", { name: "With absent" }).check();
  await row("night-shift").getByText("absent").waitFor();
  await row("night-shift").getByText("2 ·", { exact: false }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("NIGHT");
  await row("phone").waitFor({ state: "detached" });
  await page.getByText("1 session found").waitFor();
  await page.getByRole("searchbox").fill("");
  await row("phone").waitFor();
  step("lists sessions, with their queues and faults");

  await row("phone").getByRole("link").click();
  const panel = page.getByRole("complementary", { name: "Client phone" });
  await panel.getByRole("link", { name: '"gt":50', exact: false }).waitFor();
  await panel.getByText("0x90", { exact: false }).waitFor();
  await panel.getByText("$nonsense/x").waitFor();
  await accessible(page);
  await shot(page, "clients");
  await panel.getByText("Disconnect …").click();
  await panel.getByLabel("Reason").fill("maintenance");
  const told = new Promise((resolve) => phone.once("disconnect", resolve));
  await panel.getByRole("button", { name: "Disconnect", exact: true }).click();
  await panel.getByRole("button", { name: "Yes" }).click();
  const { reasonCode, properties } = await told;
  check("what the client is told", [reasonCode, properties?.reasonString], [0x98, "maintenance"]);
  await panel.getByText("administrative action").waitFor();
  await panel.getByText("gone", { exact: true }).waitFor();
  step("shows one, and disconnects it");

  const again = await client({ clientId: "phone", reconnectPeriod: 0 });
  await panel.getByText("connected", { exact: true }).waitFor();
  await panel.getByRole("button", { name: "Ban …" }).click();
  const form = panel.getByRole("form", { name: "Ban" });
  await form.getByLabel("Reason").fill("too loud");
  await form.getByLabel("Ban by").selectOption("network");
  await form.getByRole("textbox", { name: "Network or address" }).fill("nonsense");
  await form.getByRole("button", { name: "Ban", exact: true }).click();
  await form.getByRole("alert").waitFor();
  await form.getByLabel("Ban by").selectOption("client");
  again.on("error", () => {}); // it is told that it is banned
  const ended = new Promise((resolve) => again.once("close", resolve));
  await form.getByRole("button", { name: "Ban", exact: true }).click();
  await ended;
  await panel.getByRole("button", { name: "Close" }).click();
  await page.getByRole("radio", { name: "Bans" }).check();
  const ban = page.locator("tbody tr").filter({ hasText: "phone" });
  await ban.getByText("too loud").waitFor();
  await ban.getByText("anna").waitFor();
  await accessible(page);
  await shot(page, "clients-bans");
  const refused = await client({ clientId: "phone", reconnectPeriod: 0 }).then(() => "let in", (e) => e.code);
  check("a banned client", refused, 0x8a);
  await ban.getByRole("button", { name: "Lift" }).click();
  await ban.getByRole("button", { name: "Yes" }).click();
  await page.getByRole("heading", { name: "Nobody is banned" }).waitFor();
  await (await client({ clientId: "phone" })).endAsync();
  step("bans, and lets in again");

  await page.emulateMedia({ colorScheme: "dark" });
  await accessible(page);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole("radio", { name: "With absent" }).check();
  await row("night-shift").waitFor();
  check("too wide by", await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  await accessible(page);
  await shot(page, "clients-phone");
  step("fits a phone");
}
