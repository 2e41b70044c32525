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

// Domains of the lab whose checks last for three seconds and more, with steps before.
export const SLOW = ["sts-record-timeout.test", "sts-slow-drip.test", "sts-oversize-slow-drip.test", "tls-handshake-timeout.test"];

// Has a domain checked and waits for its report.
export async function check(visit, domain, tool = "smtp-tls") {
  const { page } = visit;
  await visit.go(`/tools/${tool}`);
  await page.getByLabel("Domain").fill(domain);
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await page.locator(".verdicts").waitFor();
}

// The lab's submission server and its test account, which `waxseal lab up` names as well.
export const SERVER = { host: "smtp.submission.test", user: "sender@submission.test", password: "lab-only-9fK2mQx7vT4wZs" };

// Fills the form of an SMTP connection in; nothing is sent.
export async function fillConnection(visit, { name = "own", port = "587", security }) {
  const { page } = visit;
  await visit.go("/connections/new/smtp");
  await page.getByLabel("Name of the connection").fill(name);
  await page.getByLabel("From address").fill("news@submission.test");
  await page.getByLabel("Host", { exact: true }).fill(SERVER.host);
  await page.getByLabel("Port", { exact: true }).fill(port);
  await page.getByLabel("Security mode").selectOption(security);
  await page.getByLabel("User name").fill(SERVER.user);
  await page.getByLabel("Password or token").fill(SERVER.password);
}

// Stores what the form holds; the address of the new connection.
export async function addConnection(visit, options) {
  await fillConnection(visit, options);
  await visit.page.locator("form.settings button[type=submit]").click();
  await visit.page.locator("#state").waitFor();
  return visit.path().replace(/\?.*/, "");
}

// Sends a test from the page of a connection and waits for what became of it.
export async function sendTest(visit) {
  await visit.page.getByLabel("Send one real message to").fill("you@submission.test");
  await visit.page.getByRole("button", { name: "Send the test" }).click();
  await visit.page.locator("#result").waitFor();
}
