// A sign-in that cannot be refreshed any more, and rules that hide documents and lists.
export default async function expiry({ open, step, check, accessible, allow, client }) {
  allow(/401|403/);
  const page = await open("/map");
  await page.getByLabel("Name", { exact: true }).fill("anna");
  await page.getByLabel("Password", { exact: true }).fill("correct horse");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Which collection?" }).waitFor();
  await accessible(page);
  step("asks for what it may not list");

  const device = await client({ username: "anna", password: "correct horse" });
  for (const [id, tenant] of [["a", "acme"], ["b", "other"], ["c", "acme"]]) {
    await device.publishAsync(`fleet/trucks/${id}`, JSON.stringify({ tenant, position: [48, 11], secret: 1 }), { qos: 1 });
  }
  await page.getByLabel("Collection").fill("fleet/trucks");
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByText(/^2 documents/).waitFor();
  check("what is hidden", await page.evaluate(() => document.querySelector(".map").view.feed().slotOf.has("b")), false);
  step("shows what the rules allow");

  await page.getByText("Your sign-in has expired.").waitFor({ timeout: 25_000 });
  await page.getByRole("heading", { name: "Sign in to Ambit" }).waitFor();
  step("says that it has expired");
  await device.endAsync(true);
}
