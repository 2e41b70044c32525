// The two checkers: live, as a plain form, by keyboard, on a phone, on paper; downloads and deletion.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { check, comeIn } from "../people.mjs";

// Notes what a screen reader would be told: every line that comes into the live region, and how it is announced.
const WATCH_LIVE = () => {
  window.announced = [];
  document.addEventListener("DOMContentLoaded", () => {
    const region = document.getElementById("live");
    if (!region) return;
    new MutationObserver(() => {
      for (const line of region.querySelectorAll("ol.live > li:not([data-seen])")) {
        line.dataset.seen = "";
        window.announced.push([region.getAttribute("aria-live"), line.innerText]);
      }
    }).observe(region, { childList: true, subtree: true });
  });
};

async function live(bench, site, domain) {
  const visit = await bench.visit(site);
  await visit.context.addInitScript(WATCH_LIVE);
  await check(visit, domain);
  const announced = await visit.page.evaluate(() => window.announced);
  assert.ok(announced.every(([how]) => how === "polite"), JSON.stringify(announced));
  assert.match(visit.path(), /^\/results\/\w/, "the result has an address of its own");
  return { visit, lines: announced.map(([, line]) => line) };
}

const verdict = (visit) => visit.page.locator(".verdicts li").first().locator(".word").innerText();
const findings = (visit) => visit.page.locator("article.finding");

export default {
  async "a healthy domain: stages come in, then a report that passes"(bench) {
    const site = await bench.site();
    const { visit, lines } = await live(bench, site, "healthy-two-hosts.test");
    assert.match(lines[0], /^MX records: mx1\.healthy-two-hosts\.test/);
    for (const host of ["mx1", "mx2"]) {
      const line = lines.find((line) => line.startsWith(`${host}.healthy-two-hosts.test`));
      assert.match(line ?? "", /starttls-ok[^]*connect [\d.]+ ms[^]*tls [\d.]+ ms/);
    }
    assert.equal(await verdict(visit), "PASS");
    const names = await visit.page.locator(".verdicts h2").allInnerTexts();
    assert.deepEqual(names, ["Transport (TLS)", "Sender trust", "Reputation"]);
    const headings = await visit.page.locator("main h2").allInnerTexts();
    for (const part of ["Mail hosts by stage", "Certificates", "What this proves", "What this does not prove", "What was not checked"]) {
      assert.ok(headings.includes(part), `${part}: ${headings}`);
    }
    await visit.page.getByText("Simulated", { exact: false }).first().waitFor();
  },

  async "an expired certificate: who has to act, what to do, and the guide"(bench) {
    const site = await bench.site();
    const { visit } = await live(bench, site, "cert-expired.test");
    assert.equal(await verdict(visit), "FAIL");
    const finding = findings(visit).filter({ hasText: "The certificate is past its end date" });
    const text = await finding.innerText();
    assert.match(text, /renews the certificate/);
    const order = visit.page.locator("main h3", { hasText: "receiver" }).first();
    assert.ok(await order.isVisible(), "grouped by owner");
    await finding.getByRole("link", { name: "About cert-expired" }).click();
    await visit.page.waitForURL("**/guides/findings/cert-expired");
    await visit.page.goBack();
    await finding.getByRole("link", { name: /^Guide/ }).click();
    await visit.page.waitForURL("**/guides/tls#certificate");
    assert.ok(await visit.page.locator("#certificate").isVisible());
  },

  async "a domain without mail servers: an explanation and no fault of TLS"(bench) {
    const site = await bench.site();
    for (const [domain, words] of [
      ["dns-no-mail-records.test", /should dns-no-mail-records\.test receive mail at all\?/],
      ["dns-null-mx.test", /takes no mail[^]*is that intended\?/],
    ]) {
      const { visit } = await live(bench, site, domain);
      assert.equal(await verdict(visit), "NOTHING TO TEST");
      const text = await visit.page.locator("main").innerText();
      assert.match(text, words);
      assert.ok(!/handshake|STARTTLS is not offered/i.test(text), text);
      const codes = await visit.page.locator("article.finding a code").allInnerTexts();
      assert.deepEqual(codes.filter((code) => /^(tls|cert|starttls)-/.test(code)), []);
      assert.ok(!(await visit.page.locator("main h2").allInnerTexts()).includes("Mail hosts by stage"));
    }
  },

  async "the same without JavaScript"(bench) {
    const site = await bench.site();
    for (const [domain, word] of [
      ["healthy-one-mx.test", "PASS"],
      ["cert-expired.test", "FAIL"],
      ["dns-no-mail-records.test", "NOTHING TO TEST"],
    ]) {
      const visit = await bench.visit(site, { scripts: false });
      await check(visit, domain);
      assert.equal(await verdict(visit), word);
      assert.match(await visit.page.locator("main").innerText(), /\d\d:\d\d UTC/, "times without a script are in UTC");
    }
  },

  async "what cannot be checked is said beside the field"(bench) {
    const site = await bench.site();
    for (const scripts of [true, false]) {
      const visit = await bench.visit(site, { scripts });
      const { page } = visit.expects(422);
      await visit.go("/tools/smtp-tls");
      await page.getByLabel("Domain").fill("not a domain");
      await page.getByRole("button", { name: "Check", exact: true }).click();
      await page.locator("#domain-problem").waitFor();
      const field = page.getByLabel("Domain");
      assert.equal(await field.getAttribute("aria-invalid"), "true");
      assert.equal(await field.getAttribute("aria-describedby"), "domain-problem");
      assert.equal(await field.inputValue(), "not a domain");
    }
  },

  async "the two checkers lead to each other"(bench) {
    const site = await bench.site();
    const visit = await bench.visit(site);
    const { page } = visit;
    await visit.go("/tools/mx");
    await page.getByRole("link", { name: "Check their TLS" }).click();
    await page.getByRole("link", { name: "Look at the MX records alone" }).click();
    assert.equal(visit.path(), "/tools/mx");
    await check(visit, "healthy-one-mx.test", "mx");
    assert.match(await page.locator("main").innerText(), /left out/);
    await page.getByRole("button", { name: "Check TLS of the mail hosts" }).click();
    await page.getByRole("heading", { name: "Certificates" }).waitFor();
    assert.equal(await verdict(visit), "PASS");
  },

  async "keyboard alone: skip link, visible focus, a check"(bench) {
    const site = await bench.site();
    const visit = await bench.visit(site);
    const { page } = visit;
    await visit.go("/tools/smtp-tls");
    const focused = () =>
      page.evaluate(() => {
        const style = getComputedStyle(document.activeElement);
        const box = document.activeElement.getBoundingClientRect();
        return {
          text: document.activeElement.innerText ?? "",
          name: document.activeElement.id,
          ringed: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
          onScreen: box.left >= 0 && box.top >= 0 && box.width > 0,
        };
      });
    await page.keyboard.press("Tab");
    const skip = await focused();
    assert.deepEqual([skip.text, skip.ringed, skip.onScreen], ["Skip to the content", true, true]);
    await page.keyboard.press("Enter");
    assert.equal(new URL(page.url()).hash, "#main");
    await page.keyboard.press("Tab");
    assert.equal((await focused()).name, "domain", "the skip link passes the navigation");
    assert.ok((await focused()).ringed);
    await page.keyboard.type("healthy-one-mx.test");
    await page.keyboard.press("Tab");
    assert.deepEqual([(await focused()).text, (await focused()).ringed], ["Check", true]);
    await page.keyboard.press("Enter");
    await page.locator(".verdicts").waitFor();
    const reached = [];
    for (let stop = 0; stop < 60; stop += 1) {
      await page.keyboard.press("Tab");
      const now = await focused();
      if (now.text !== "" || now.name !== "") assert.ok(now.ringed, `${now.text} ${now.name}: focus is not seen`);
      reached.push(now.text);
      if (now.text.includes("Markdown")) break;
    }
    assert.ok(reached.some((text) => text.includes("Check again")), JSON.stringify(reached));
    assert.ok(reached.some((text) => text.includes("Markdown")), JSON.stringify(reached));
  },

  async "JSON and Markdown of a result are downloaded"(bench) {
    const site = await bench.site();
    const visit = await bench.visit(site);
    await check(visit, "cert-expired.test");
    for (const [name, ending, sign] of [
      ["JSON", "json", '"cert-expired"'],
      ["Markdown", "md", "# Waxseal report"],
    ]) {
      const [download] = await Promise.all([
        visit.page.waitForEvent("download"),
        visit.page.getByRole("link", { name, exact: true }).click(),
      ]);
      assert.equal(download.suggestedFilename(), `waxseal-cert-expired.test.${ending}`);
      const text = readFileSync(await download.path(), "utf8");
      assert.ok(text.includes(sign), text.slice(0, 200));
      if (ending === "json") assert.equal(JSON.parse(text).verdict, "fail");
    }
  },

  async "only its maker sees the way to delete a result, and it is gone then"(bench) {
    const site = await bench.site();
    const maker = await bench.visit(site);
    await check(maker, "healthy-one-mx.test");
    const address = maker.path();
    const other = await bench.visit(site);
    other.expects(404);
    await other.go(address);
    assert.equal(await other.page.getByRole("button", { name: "Delete this result" }).count(), 0);
    await maker.page.getByRole("button", { name: "Delete this result" }).click();
    await maker.page.waitForURL(`${site.origin}/`);
    await other.go(address);
    await other.page.getByRole("heading", { name: "There is no such page" }).waitFor();
  },

  async "a second check within ten minutes shows the same measurement and says so"(bench) {
    const site = await bench.site();
    const visit = await bench.visit(site);
    await check(visit, "healthy-one-mx.test");
    const measured = () => visit.page.locator(".circumstances time").getAttribute("datetime");
    const [first, address] = [await measured(), visit.path()];
    assert.match(await visit.page.locator("main").innerText(), /at most once in ten minutes/);
    await visit.page.getByRole("button", { name: "Check again" }).click();
    await visit.page.waitForURL((url) => url.pathname.startsWith("/results/") && url.pathname !== address);
    assert.equal(await measured(), first);
  },

  async "times stand in the zone of the viewer"(bench) {
    const site = await bench.site();
    const visit = await bench.visit(site);
    await check(visit, "healthy-one-mx.test");
    const shown = await visit.page.locator(".circumstances time").innerText();
    const expected = await visit.page.evaluate(() => {
      const time = document.querySelector(".circumstances time");
      const zoned = new Intl.DateTimeFormat("en-GB", { timeZone: "Pacific/Auckland", hour: "2-digit", minute: "2-digit" });
      return zoned.format(new Date(time.dateTime));
    });
    assert.ok(shown.includes(expected), `${shown} should have ${expected}`);
    const all = await visit.page.locator("main time").allInnerTexts();
    assert.ok(all.length >= 2 && all.every((time) => !time.includes("UTC")), JSON.stringify(all));
  },

  async "a printed report has its content and no buttons"(bench) {
    const site = await bench.site();
    // Paper is white for those whose screen is dark, too.
    const visit = await bench.visit(site, { scheme: "dark" });
    await check(visit, "cert-expired.test");
    await visit.page.emulateMedia({ media: "print" });
    assert.deepEqual(await visit.violations(), []);
    const folded = visit.page.locator("article.finding details").first();
    assert.ok(await folded.getByText("Sources").isVisible(), "what is folded stands on paper");
    for (const hidden of [".actions", ".top nav", ".skip"]) {
      assert.equal(await visit.page.locator(hidden).first().isVisible(), false, hidden);
    }
    for (const seen of [".verdicts", "article.finding", "h1"]) {
      assert.equal(await visit.page.locator(seen).first().isVisible(), true, seen);
    }
    const paper = await visit.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(paper, "rgb(255, 255, 255)");
    const pdf = await visit.page.pdf({ format: "A4" });
    assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
  },

  async "a closed checker leads to sign-in and opens after it"(bench) {
    const site = await bench.site("serve");
    const visit = await bench.visit(site);
    const { page } = visit;
    await visit.go("/");
    assert.equal(await page.getByLabel("Domain").count(), 0);
    const tools = await page.locator('main a[href^="/tools/"]').count();
    assert.equal(tools, 0, "no way to a page that refuses");
    await page.locator("main").getByRole("link", { name: "Sign in" }).click();
    assert.equal(visit.path(), "/sign-in");
    await comeIn(visit, await site.firstLink);
    await visit.go("/");
    assert.ok(await page.getByLabel("Domain").isVisible());
    assert.equal(await page.locator('main a[href^="/tools/"]').count(), 2);
  },
};
