// Takes the pictures of docs/screens: node screens.mjs BINARY CHROMIUM FOLDER. They are small enough to be read in
// a repository, and a picture that is not fails the run.
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { launch } from "./launch.mjs";
import { SLOW, addConnection, check, comeIn, fillConnection, sendTest } from "./people.mjs";
import { Site } from "./site.mjs";
import { Visit } from "./visit.mjs";

const OCTETS_MAX = 150_000;

const [binary, chromium, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const browser = await launch(chromium);
const site = await Site.start(binary, ["lab", "serve"]);
const problems = [];

async function open(options) {
  return Visit.open(browser, site, { height: 1000, context: { timezoneId: "UTC" }, ...options });
}

async function take(visit, name) {
  const path = join(folder, `${name}.png`);
  await visit.page.evaluate(() => document.fonts.ready);
  await visit.page.screenshot({ path, animations: "disabled" });
  const octets = statSync(path).size;
  console.log(`${name}.png: ${octets} octets`);
  if (octets > OCTETS_MAX) problems.push(`${name}.png has ${octets} octets, over ${OCTETS_MAX}`);
}

async function page(name, path, options) {
  const visit = await open(options);
  await visit.go(path);
  await take(visit, name);
  problems.push(...visit.faults);
  await visit.close();
}

async function report(name, domain, options) {
  const visit = await open(options);
  await check(visit, domain);
  await take(visit, name);
  problems.push(...visit.faults);
  await visit.close();
}

// A check that lasts for some seconds; on a busy machine one may end before its steps were seen.
async function running() {
  const visit = await open({ height: 760 });
  for (const domain of SLOW) {
    await visit.go("/tools/smtp-tls");
    await visit.page.getByLabel("Domain").fill(domain);
    await visit.page.getByRole("button", { name: "Check", exact: true }).click();
    await visit.page.locator("ol.live > li:nth-child(2), .verdicts").first().waitFor();
    if (await visit.page.locator(".watching").isVisible()) break;
  }
  await take(visit, "checker-running");
  if (!(await visit.page.locator(".watching").isVisible())) problems.push("no check was seen while it ran");
  await visit.close();
}

async function connections() {
  const visit = await open();
  const shown = visit.page;
  await comeIn(visit, await site.firstLink);
  await fillConnection(visit, { name: "newsletter", security: "tls" });
  await shown.locator("#warnings .note").first().waitFor();
  await shown.locator("#warnings").scrollIntoViewIfNeeded();
  await take(visit, "connection-form");
  await addConnection(visit, { name: "newsletter", security: "tls" });
  await sendTest(visit);
  await shown.setViewportSize({ width: 1200, height: 1280 });
  await take(visit, "connection-diagnosis");
  await shown.setViewportSize({ width: 1200, height: 1000 });
  await addConnection(visit, { name: "receipts", security: "starttls" });
  await sendTest(visit);
  await take(visit, "connection-passed");
  await visit.go("/connections");
  await take(visit, "connections");
  await visit.go("/account");
  await take(visit, "account");
  problems.push(...visit.faults);
  await visit.close();
}

await page("home", "/", { height: 860 });
await page("home-dark", "/", { height: 860, scheme: "dark" });
await running();
await report("report-healthy", "healthy-two-hosts.test");
await report("report-expired", "cert-expired.test");
await report("report-expired-dark", "cert-expired.test", { scheme: "dark" });
await report("report-no-mail-hosts", "dns-no-mail-records.test");
await report("report-phone", "cert-expired.test", { width: 390, height: 1400 });
await page("guide", "/guides/tls", { height: 720 });
await page("finding", "/guides/findings/cert-expired");
await connections();
await browser.close();
site.end();
problems.forEach((problem) => console.log(problem));
process.exitCode = problems.length === 0 ? 0 : 1;
