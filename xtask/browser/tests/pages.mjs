// What every page must hold: WCAG 2.2 AA as far as axe-core sees it, light, dark and on a phone; no sideways
// scrolling; its weight. Pages come from a list and from their own links, one of each kind of address.
import assert from "node:assert/strict";
import { SLOW, check, comeIn } from "../people.mjs";

const OCTETS_MAX = 100_000;
const PHONE = 390;
// The width that WCAG 2.2 names for reflow (1.4.10).
const NARROWEST = 320;
// Enough for every kind of address, and an end if links should ever lead in circles.
const PAGES_MAX = 120;

// Addresses that differ only in what they name.
const pattern = (path) =>
  path
    .replace(/\?.*/, "")
    .replace(/^\/guides\/findings\/[^/]+$/, "/guides/findings/:code")
    .replace(/^\/guides\/category\/[^/]+$/, "/guides/category/:name")
    .replace(/\/[\w-]{20,}/g, "/:id");

class Round {
  // Kinds of addresses in `besides` were looked at elsewhere.
  constructor(bench, site, { state, besides = [] } = {}) {
    Object.assign(this, { bench, site, state });
    this.seen = new Set(besides.map(pattern));
    this.problems = [];
    this.heaviest = ["", 0];
    this.runs = 0;
  }

  async all(paths) {
    const waiting = [...paths];
    paths.forEach((path) => this.seen.add(pattern(path)));
    let pages = 0;
    while (waiting.length > 0 && pages < PAGES_MAX) {
      const path = waiting.shift();
      const links = await this.page(path);
      if (links) pages += 1;
      for (const link of links ?? []) {
        if (this.seen.has(pattern(link))) continue;
        this.seen.add(pattern(link));
        waiting.push(link);
      }
    }
    const [where, octets] = this.heaviest;
    this.bench.note(`${pages} pages, ${this.runs} runs of axe, the heaviest page has ${octets} octets: ${where}`);
    assert.deepEqual(this.problems, []);
  }

  // Looks at one page; its links, or nothing when it is not a page.
  async page(path) {
    const visit = await this.bench.visit(this.site, { state: this.state });
    if (path === NOWHERE) visit.expects(404);
    const answer = await visit.go(path);
    if (!answer.headers()["content-type"]?.startsWith("text/html")) return undefined;
    const links = await this.look(visit, path);
    await visit.close();
    return links;
  }

  async look(visit, path) {
    const { page } = visit;
    const wrong = (what) => this.problems.push(`${path}: ${what}`);
    const axe = async (how) => {
      this.runs += 1;
      (await visit.violations()).forEach((violation) => wrong(`${how}: ${violation}`));
    };
    const links = await page.locator("a[href^='/']:not([download])").evaluateAll((all) => all.map((a) => a.pathname + a.search));
    await axe("light");
    if (visit.octets >= OCTETS_MAX) wrong(`${visit.octets} octets in all`);
    if (visit.octets > this.heaviest[1]) this.heaviest = [path, visit.octets];
    await page.emulateMedia({ colorScheme: "dark" });
    await axe("dark");
    await page.setViewportSize({ width: PHONE, height: 800 });
    await axe("phone, dark");
    for (const width of [PHONE, NARROWEST]) {
      await page.setViewportSize({ width, height: 800 });
      const wider = await visit.overflow();
      if (wider > 0) wrong(`${wider} pixels wider than a window of ${width}`);
    }
    return links;
  }
}

const NOWHERE = "/no/such/page";

const PUBLIC = [
  "/",
  "/tools/mx",
  "/tools/smtp-tls?domain=healthy-one-mx.test",
  "/guides",
  "/guides?q=certificate",
  "/guides?q=zzzzqqqq",
  "/guides/findings",
  "/guides/findings/cert-expired",
  "/guides/category/secure-delivery",
  "/presets",
  "/sign-in",
  NOWHERE,
];

// What the pages of the list lead to.
const LINKED = ["/tools/smtp-tls", "/guides/tls", "/guides/setup-custom-smtp", "/guides/category/x", "/llms.txt", "/llms-full.txt", "/api/v1/openapi.json"];

// One of each picture that a report can have.
const DOMAINS = [
  "healthy-two-hosts.test",
  "healthy-twenty-hosts.test",
  "healthy-everything.test",
  "healthy-long-names.test",
  "cert-expired.test",
  "starttls-not-advertised.test",
  "tcp-refused.test",
  "dns-no-mail-records.test",
  "dns-null-mx.test",
];

export default {
  async "pages for everybody"(bench) {
    const site = await bench.site();
    const results = [];
    const maker = await bench.visit(site);
    for (const domain of DOMAINS) {
      await check(maker, domain);
      results.push(maker.path());
    }
    await check(maker, "healthy-two-hosts.test", "mx");
    results.push(maker.path());
    const link = new URL(await site.firstLink).pathname;
    const state = await maker.context.storageState();
    await new Round(bench, site, { state }).all([...PUBLIC, ...results, link]);
  },

  async "pages of a closed checker"(bench) {
    const site = await bench.site("serve");
    await new Round(bench, site, { besides: [...PUBLIC, ...LINKED] }).all(["/"]);
    const visit = (await bench.visit(site)).expects(403);
    await visit.go("/tools/mx");
    assert.deepEqual(await visit.violations(), []);
    await visit.page.getByRole("link", { name: "Sign in" }).first().waitFor();
  },

  async "pages for people who signed in"(bench) {
    const site = await bench.site();
    const owner = await bench.visit(site);
    await comeIn(owner, await site.firstLink);
    await owner.page.getByRole("button", { name: "Make a link" }).click();
    await owner.page.getByRole("status").waitFor();
    assert.deepEqual(await owner.violations(), []);
    const invited = new URL(await owner.page.getByRole("status").locator("code").innerText()).pathname;
    const state = await owner.context.storageState();
    await new Round(bench, site, { state, besides: [...PUBLIC, ...LINKED] }).all(["/account", "/", invited]);
  },

  async "a running check and refused forms"(bench) {
    const site = await bench.site();
    const visit = await bench.visit(site);
    const { page } = visit.expects(401, 422);
    let judged = false;
    // Checks that last for some seconds; on a busy machine one may end before axe does.
    for (const domain of SLOW) {
      await visit.go("/tools/smtp-tls");
      await page.getByLabel("Domain").fill(domain);
      await page.getByRole("button", { name: "Check", exact: true }).click();
      await page.locator(".watching").waitFor();
      assert.deepEqual(await visit.violations(), []);
      judged ||= await page.locator(".watching").isVisible();
      if (judged) break;
    }
    assert.ok(judged, "a running check was seen to the end of axe");
    await visit.go("/tools/smtp-tls");
    await page.getByLabel("Domain").fill("not a domain");
    await page.getByRole("button", { name: "Check", exact: true }).click();
    await page.locator("#domain-problem").waitFor();
    assert.deepEqual(await visit.violations(), []);
    await visit.go("/sign-in");
    await page.getByLabel("Name").fill("nobody");
    await page.getByLabel("Password").fill("not the right words");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    assert.deepEqual(await visit.violations(), []);
  },

  // Only told: a machine that is busy with other things answers later than the page deserves.
  async "how soon the server answers"(bench) {
    const site = await bench.site();
    const visit = await bench.visit(site);
    await check(visit, "cert-expired.test");
    for (const path of ["/", "/guides/tls", visit.path()]) {
      const times = [];
      for (let turn = 0; turn < 21; turn += 1) {
        const began = performance.now();
        const answer = await fetch(site.origin + path);
        times.push(performance.now() - began);
        await answer.text();
        assert.equal(answer.status, 200);
      }
      const median = times.sort((a, b) => a - b)[10].toFixed(1);
      bench.note(`first octet of ${path.replace(/\/results\/.*/, "/results/…")}: ${median} ms in the middle of 21`);
    }
  },
};
