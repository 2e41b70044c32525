// What people do on the pages, in the words that stand on them.
export const PASSWORD = "four words of chance";

export async function comeIn(visit, link, name = "anna") {
  const { page } = visit;
  await page.goto(link);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("The same again").fill(PASSWORD);
  await page.locator("main button").click();
  await page.getByRole("heading", { name: "Account" }).waitFor();
}

export async function signIn(visit, name = "anna", password = PASSWORD) {
  const { page } = visit;
  await visit.go("/sign-in");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

// Has a domain checked and waits for its report.
export async function check(visit, domain, tool = "smtp-tls") {
  const { page } = visit;
  await visit.go(`/tools/${tool}`);
  await page.getByLabel("Domain").fill(domain);
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await page.locator(".verdicts").waitFor();
}
