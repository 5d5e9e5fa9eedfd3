// Signing in and out, where nobody may come in who shows nothing.
export default async function door({ open, step, check, accessible, allow, tell, shot }) {
  allow(/401/); // the browser says of each refusal that there was one
  const page = await open("/rooms");
  await page.getByRole("heading", { name: "Sign in to Ambit" }).waitFor();
  check("complaints before anything was tried", await page.getByRole("alert").count(), 0);
  await accessible(page);
  await shot(page, "door");
  step("asks to sign in");

  await page.getByLabel("Name", { exact: true }).fill("anna");
  await page.getByLabel("Password", { exact: true }).fill("a guess");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("The name or the password is wrong.").waitFor();
  await accessible(page);
  step("refuses");

  await page.getByLabel("Password", { exact: true }).fill("correct horse");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Rooms", level: 1 }).waitFor();
  await page.getByText("anna", { exact: true }).waitFor();
  check("what is kept", await page.evaluate(() => JSON.stringify([sessionStorage, localStorage]).includes("horse")), false);
  step("lets in");

  await page.reload();
  await page.getByText("anna", { exact: true }).waitFor();
  const other = await open("/rooms", { context: page.context() });
  await other.getByRole("heading", { name: "Sign in to Ambit" }).waitFor(); // it was for one tab
  await other.close();
  step("stays signed in");

  const token = await page.evaluate(() => JSON.parse(sessionStorage.getItem("ambit.credentials")).secret);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in to Ambit" }).waitFor();
  const status = await page.evaluate((t) => fetch("/api/server/now", { method: "POST", credentials: "omit", headers: { Authorization: `Bearer ${t}` } }).then((r) => r.status), token);
  check("the token after signing out", status, 401);
  step("signs out");

  const key = await tell("ambit apikey create anna --expires 1h");
  await page.getByRole("radio", { name: "Token or API key" }).check();
  await page.locator("input[name=secret]").fill(key);
  await page.getByLabel("Stay signed in on this device").check();
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("anna", { exact: true }).waitFor();
  const second = await open("/clients", { context: page.context() });
  await second.getByRole("navigation", { name: "Screens" }).getByText("anna", { exact: true }).waitFor();
  step("takes a key");

  const stranger = await open("/");
  await stranger.getByRole("radio", { name: "Token or API key" }).check();
  await stranger.locator("input[name=secret]").fill("ambit-key-nonsense");
  await stranger.getByRole("button", { name: "Sign in" }).click();
  await stranger.getByText("That token or key does not count, or no longer.").waitFor();
  step("refuses a key");

  await tell(`ambit apikey revoke ${JSON.parse(await tell("ambit apikey list --json"))._id}`);
  await page.getByText("That token or key does not count, or no longer.").waitFor();
  await second.getByRole("heading", { name: "Sign in to Ambit" }).waitFor();
  step("ends with the key");
}
