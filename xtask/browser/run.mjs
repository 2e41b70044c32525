// Runs the tests in `tests` one after the other: node run.mjs BINARY CHROMIUM [BEGINNING OF A NAME].
// The last line is a contract with xtask: `browser: N passed, M failed`.
import { readdirSync } from "node:fs";
import { launch } from "./launch.mjs";
import { Site } from "./site.mjs";
import { Visit } from "./visit.mjs";

// No test needs half of it on a busy machine; one that hangs must not hang the run.
const TEST_MS_MAX = 600_000;

const [binary, chromium, only = ""] = process.argv.slice(2);

// What a test works with. Everything it opens is closed after it.
class Bench {
  constructor(browser) {
    this.browser = browser;
    this.sites = [];
    this.visits = [];
    this.notes = [];
  }

  // A line for whoever reads the run.
  note(line) {
    this.notes.push(line);
  }

  async site(...args) {
    const site = await Site.start(binary, args.length > 0 ? args : ["lab", "serve"]);
    this.sites.push(site);
    return site;
  }

  async visit(site, options) {
    const visit = await Visit.open(this.browser, site, options);
    this.visits.push(visit);
    return visit;
  }

  async end() {
    const faults = this.visits.flatMap((visit) => visit.faults);
    await Promise.all(this.visits.map((visit) => visit.close()));
    this.sites.forEach((site) => site.end());
    return faults;
  }
}

async function one(browser, test) {
  const bench = new Bench(browser);
  const problems = [];
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("the test took too long")), TEST_MS_MAX);
  });
  try {
    await Promise.race([test.body(bench), limit]);
  } catch (error) {
    problems.push(error.stack ?? String(error));
  }
  clearTimeout(timer);
  problems.push(...(await bench.end()));
  return { problems, notes: bench.notes };
}

const folder = new URL("./tests/", import.meta.url);
const tests = [];
for (const file of readdirSync(folder).sort()) {
  const { default: found } = await import(new URL(file, folder).href);
  for (const [name, body] of Object.entries(found)) tests.push({ name: `${file.replace(".mjs", "")}: ${name}`, body });
}
const chosen = tests.filter((test) => test.name.startsWith(only));
const browser = await launch(chromium);
let failed = 0;
for (const test of chosen) {
  const began = performance.now();
  const { problems, notes } = await one(browser, test);
  const took = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`browser ${test.name}: ${problems.length === 0 ? "ok" : "FAILED"} (${took} s)`);
  [...notes, ...problems].forEach((line) => console.log(`  ${line}`));
  if (problems.length > 0) failed += 1;
}
await browser.close();
console.log(`browser: ${chosen.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 && chosen.length > 0 ? 0 : 1;
