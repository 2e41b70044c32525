// A visit of one browser to a site. Whatever the site should never do is noted while it goes on: a request to
// another host, an error or warning in the console (a breach of the Content-Security-Policy is one), a script
// that throws, an answer with an error status that the test did not expect.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// How long a test waits for something that must come.
const WAIT_MS_MAX = 30_000;
// htmx tells of a request that ended because the visitor went on to another page. One that failed tells more.
const GIVEN_UP = /^htmx:(sendAbort|afterRequest), /;
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export class Visit {
  static async open(browser, site, options = {}) {
    const visit = new Visit();
    visit.site = site;
    visit.faults = [];
    visit.expected = new Set();
    visit.octets = 0;
    visit.context = await browser.newContext({
      viewport: { width: options.width ?? 1200, height: options.height ?? 800 },
      colorScheme: options.scheme ?? "light",
      reducedMotion: "reduce",
      javaScriptEnabled: options.scripts ?? true,
      storageState: options.state,
      locale: "en-GB",
      timezoneId: "Pacific/Auckland",
      ...options.context,
    });
    visit.context.setDefaultTimeout(WAIT_MS_MAX);
    visit.page = await visit.context.newPage();
    await visit.watch();
    return visit;
  }

  async watch() {
    const { page, faults } = this;
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (!["data:", "blob:"].includes(url.protocol) && url.origin !== this.site.origin) {
        faults.push(`a request to another host: ${request.url()}`);
      }
    });
    page.on("response", (response) => {
      if (response.status() >= 400 && !this.expected.has(response.status())) {
        faults.push(`status ${response.status()} of ${new URL(response.url()).pathname}`);
      }
    });
    page.on("console", (message) => {
      const status = message.text().match(/the server responded with a status of (\d+)/);
      if (status && this.expected.has(Number(status[1]))) return;
      if (GIVEN_UP.test(message.text())) return;
      if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => faults.push(`script: ${error.message}`));
    const wire = await this.context.newCDPSession(page);
    await wire.send("Network.enable");
    wire.on("Network.loadingFinished", (event) => (this.octets += event.encodedDataLength));
  }

  // An error status that the test asks for.
  expects(...statuses) {
    statuses.forEach((status) => this.expected.add(status));
    return this;
  }

  async go(path) {
    return this.page.goto(new URL(path, this.site.origin).href, { waitUntil: "load" });
  }

  path() {
    const { pathname, search } = new URL(this.page.url());
    return pathname + search;
  }

  // Violations of WCAG 2.2 A and AA with impact serious or critical. axe runs as the test's own code, not as a
  // script of the page, so that the page keeps its policy.
  async violations() {
    if (!(await this.page.evaluate(() => "axe" in window))) await this.page.evaluate(AXE);
    const found = await this.page.evaluate(
      (tags) => window.axe.run(document, { runOnly: tags, preload: false, resultTypes: ["violations"] }),
      TAGS,
    );
    return found.violations
      .filter((violation) => ["serious", "critical"].includes(violation.impact))
      .map((violation) => {
        const at = violation.nodes.slice(0, 3).map((node) => `${node.target.join(" ")}: ${node.failureSummary}`);
        return `${violation.id} (${violation.impact}): ${at.join(" | ")}`;
      });
  }

  // How many pixels the page body is wider than the window.
  async overflow() {
    return this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  }

  async close() {
    await this.context.close();
  }
}
