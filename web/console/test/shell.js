// The frame around the screens: as nobody in particular, from this machine.
export default async function shell({ browser, http, open, step, check, accessible, shot }) {
  const page = await open("/");
  await page.getByRole("heading", { name: "Map", level: 1 }).waitFor();
  check("the address", new URL(page.url()).pathname, "/map");
  await page.getByText("Connected", { exact: true }).waitFor();
  await page.getByText("anonymous").waitFor();
  step("opens");

  for (const [title, path] of [["Rooms", "rooms"], ["Documents", "documents"], ["Notifications", "notifications"], ["Clients", "clients"], ["Metrics", "monitor"]]) {
    await page.getByRole("navigation").getByRole("link", { name: title }).click();
    await page.getByRole("heading", { name: title, level: 1 }).waitFor();
    check("the address", new URL(page.url()).pathname, `/${path}`);
  }
  await page.goBack();
  await page.getByRole("heading", { name: "Clients", level: 1 }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Clients", level: 1 }).waitFor();
  step("goes from screen to screen");

  await page.keyboard.press("g");
  await page.keyboard.press("d");
  await page.getByRole("heading", { name: "Documents", level: 1 }).waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  await accessible(page);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor({ state: "detached" });
  await page.reload();
  await page.getByRole("heading", { name: "Documents", level: 1 }).waitFor();
  await page.keyboard.press("Tab");
  check("the first stop", await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
  await page.keyboard.press("Enter");
  check("after skipping", await page.evaluate(() => document.activeElement.id), "content");
  step("has keys");

  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  check("as the system", await theme(), "light");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
  await accessible(page);
  await page.keyboard.press("t");
  check("chosen", await theme(), "light");
  await accessible(page);
  await page.reload();
  check("kept", await theme(), "light");
  step("is light and dark");

  const phone = await open("/clients", { viewport: { width: 390, height: 844 } });
  await phone.getByRole("heading", { name: "Clients", level: 1 }).waitFor();
  check("too wide by", await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  await accessible(phone);
  await phone.getByRole("link", { name: "Rooms" }).click();
  await phone.getByRole("heading", { name: "Rooms", level: 1 }).waitFor();
  await shot(phone, "shell-phone");
  step("fits a phone");

  const elsewhere = await (await browser.newContext()).newPage();
  await elsewhere.goto(`http://broker.test:${http.split(":")[1]}/`);
  await elsewhere.getByText("The broker does not know that broker.test is its name: add it to the setting hosts.").waitFor();
  step("says what a name is missing in");
}
