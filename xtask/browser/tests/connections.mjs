// Connections: from the empty list over a wrong mode and its diagnosis to a test that passes, and away again.
import assert from "node:assert/strict";
import { SERVER, addConnection, comeIn, fillConnection, sendTest } from "../people.mjs";

async function owner(bench, options) {
  const site = await bench.site();
  const visit = await bench.visit(site, options);
  await comeIn(visit, await site.firstLink);
  return visit;
}

const state = (visit) => visit.page.locator("#state").innerText();

// Light, dark and on a phone; the page stays as it is.
async function sound(visit) {
  for (const [colorScheme, width] of [["light", 1200], ["dark", 1200], ["dark", 390]]) {
    await visit.page.emulateMedia({ colorScheme });
    await visit.page.setViewportSize({ width, height: 800 });
    assert.deepEqual(await visit.violations(), [], `${visit.path()} ${colorScheme} ${width}`);
    assert.equal(await visit.overflow(), 0, `${visit.path()} is wider than ${width}`);
  }
  await visit.page.emulateMedia({ colorScheme: "light" });
  await visit.page.setViewportSize({ width: 1200, height: 800 });
}

// Every answer is searched: a stored secret is shown nowhere.
function listen(visit) {
  const leaks = [];
  const pending = [];
  visit.page.on("response", (response) => {
    if (!/html|event-stream/.test(response.headers()["content-type"] ?? "")) return;
    const body = response.text().then(
      (text) => text.includes(SERVER.password) && leaks.push(response.url()),
      () => {},
    );
    pending.push(body);
  });
  return async () => {
    await Promise.race([Promise.all(pending), visit.page.evaluate(() => 0)]);
    assert.deepEqual(leaks, []);
  };
}

export default {
  async "a wrong mode: contradiction, diagnosis, an explicit click, and it passes"(bench) {
    const visit = await owner(bench);
    const { page } = visit;
    const nothingLeaked = listen(visit);
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Connections" }).click();
    await page.getByText("There is no connection").waitFor();
    await sound(visit);
    await page.locator("main").getByRole("link", { name: "Add a connection" }).click();
    await sound(visit);

    await fillConnection(visit, { security: "tls" });
    const note = page.locator("#warnings .note").first();
    await note.waitFor();
    assert.equal(await page.locator("#warnings").getAttribute("aria-live"), "polite");
    assert.ok(await page.locator('#warnings a[href="/guides/findings/input-mode-port-conflict"]').isVisible());
    await sound(visit);
    await page.getByLabel("Security mode").selectOption("starttls");
    await page.locator('#warnings a[href="/guides/findings/input-mode-port-conflict"]').waitFor({ state: "detached" });
    await page.getByLabel("Security mode").selectOption("tls");
    await page.locator("form.settings button[type=submit]").click();
    await page.locator("#state").waitFor();
    assert.equal(await state(visit), "untested");
    const address = visit.path().replace(/\?.*/, "");
    await sound(visit);

    await sendTest(visit);
    assert.match(visit.path(), /\/tests\//, "the test has an address of its own");
    const failed = page.locator("ol.steps > li").filter({ hasText: "This port begins in plain text" });
    assert.match(await failed.first().innerText(), /^✗?\s*(failed)?\s*tls/, "the cause stands at the failing step");
    assert.ok((await page.locator('main a[href="/guides/findings/greet-plain-port-with-tls"]').count()) > 0);
    await sound(visit);
    await visit.go(address);
    assert.equal(await state(visit), "failing");
    assert.match(await page.locator("main").innerText(), /587[^]*tls/, "no setting is changed by itself");
    await page.getByRole("button", { name: "Change security to starttls" }).click();
    await page.waitForURL(`**${address}`);
    assert.equal(await state(visit), "untested");

    await sendTest(visit);
    assert.match(await page.locator("main").innerText(), /The message was taken\./);
    await sound(visit);
    await visit.go(address);
    assert.equal(await state(visit), "passing");
    await sound(visit);
    await nothingLeaked();
  },

  async "the steps of a test appear while it runs"(bench) {
    const visit = await owner(bench);
    const { page } = visit;
    await page.addInitScript(() => {
      window.announced = [];
      document.addEventListener("DOMContentLoaded", () => {
        const region = document.getElementById("live");
        if (!region) return;
        new MutationObserver(() => {
          for (const line of region.querySelectorAll("ol.live > li:not([data-seen])")) {
            line.dataset.seen = "";
            window.announced.push([region.getAttribute("aria-live"), line.querySelector("strong").innerText]);
          }
        }).observe(region, { childList: true, subtree: true });
      });
    });
    await addConnection(visit, { security: "starttls" });
    await sendTest(visit);
    const announced = await page.evaluate(() => window.announced);
    const steps = announced.map(([, step]) => step);
    assert.deepEqual([steps[0], steps.at(-1)], ["settings", "accepted"], JSON.stringify(steps));
    assert.ok(announced.every(([how]) => how === "polite"));
  },

  async "the same without JavaScript"(bench) {
    const visit = await owner(bench, { scripts: false });
    const { page } = visit;
    const address = await addConnection(visit, { security: "tls" });
    const contradiction = page.locator('main a[href="/guides/findings/input-mode-port-conflict"]');
    assert.ok(await contradiction.first().isVisible(), "said after it was stored");
    await page.getByLabel("Send one real message to").fill("you@submission.test");
    await page.getByRole("button", { name: "Send the test" }).click();
    // Without a script the page looks again by itself until there is a result.
    await page.locator("#result").waitFor();
    await visit.go(address);
    await page.getByRole("button", { name: "Change security to starttls" }).click();
    await page.getByLabel("Send one real message to").fill("you@submission.test");
    await page.getByRole("button", { name: "Send the test" }).click();
    await page.locator("#result").waitFor();
    assert.match(await page.locator("main").innerText(), /The message was taken\./);
  },

  async "what is wrong stands beside its field, and what was typed stays"(bench) {
    const visit = await owner(bench);
    const { page } = visit.expects(422);
    await fillConnection(visit, { name: "", security: "starttls", port: "70000" });
    await page.locator("form.settings button[type=submit]").click();
    await page.locator("#wrong").waitFor();
    for (const field of ["name", "port"]) {
      const input = page.locator(`#${field}`);
      assert.equal(await input.getAttribute("aria-invalid"), "true", field);
      const described = (await input.getAttribute("aria-describedby")).split(" ");
      assert.ok(described.includes(`${field}-problem`), field);
      assert.ok(await page.locator(`#${field}-problem`).isVisible(), field);
    }
    assert.equal(await page.locator("#port").inputValue(), "70000");
    assert.equal(await page.locator("#secret").inputValue(), "", "a secret is written and never shown");
    await sound(visit);
  },

  async "a received message says how it came, a file that is none does not"(bench) {
    const visit = await owner(bench);
    const { page } = visit.expects(422);
    await addConnection(visit, { security: "starttls" });
    await sendTest(visit);
    const text = await page.locator("main").innerText();
    const id = text.match(/Message-ID (\S+)/)[1];
    const received = (lines) => ({ name: "message.eml", mimeType: "message/rfc822", buffer: Buffer.from(lines) });
    await page.getByLabel("The message as a file").setInputFiles(received("no header"));
    await page.getByRole("button", { name: "Read its path" }).click();
    await page.locator("#received-problem").waitFor();
    await sound(visit);
    const hop = "Received: from a.test ([198.51.100.1]) by mx.example.net with ESMTPS\r\n (TLS1.3:TLS_AES_256_GCM_SHA384:256) id 1\r\n";
    await page.getByLabel("The message as a file").setInputFiles(received(`${hop}Message-ID: <${id}>\r\n\r\nbody`));
    await page.getByRole("button", { name: "Read its path" }).click();
    await page.getByRole("region", { name: "Hops" }).waitFor();
    assert.match(await page.getByRole("region", { name: "Hops" }).innerText(), /mx\.example\.net[^]*TLS 1\.3/);
    await sound(visit);
  },

  async "a service's form, an exception, disabling, removing, and signing out"(bench) {
    const visit = await owner(bench);
    const { page } = visit;
    for (const path of ["/connections/new/postmark", "/connections/new/smtp?preset=brevo", "/connections/new/exception"]) {
      await visit.go(path);
      await sound(visit);
    }
    const address = await addConnection(visit, { security: "starttls" });
    for (const path of ["/edit", "/exception", "/remove"]) {
      await visit.go(address + path);
      await sound(visit);
    }
    await visit.go(address);
    await page.getByRole("button", { name: "Disable" }).click();
    await page.getByText("Nothing is sent over it.").waitFor();
    assert.ok(await page.getByRole("button", { name: "Send the test" }).isDisabled());
    await page.getByRole("button", { name: "Enable" }).click();
    await page.getByRole("button", { name: "Disable" }).waitFor();
    await visit.go("/connections");
    await page.getByRole("link", { name: "own" }).waitFor();
    await sound(visit);
    await visit.go(address);
    await page.getByRole("link", { name: "Remove", exact: true }).click();
    await page.getByRole("button", { name: "Remove it" }).click();
    await page.waitForURL("**/connections");
    await page.getByText("There is no connection").waitFor();
    await visit.go("/account");
    assert.match(await page.getByRole("region", { name: "What was changed" }).innerText(), /connection\.removed/);
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await visit.go("/connections");
    assert.equal(visit.path(), "/sign-in");
  },

  async "a viewer looks and changes nothing"(bench) {
    const visit = await owner(bench);
    const address = await addConnection(visit, { security: "starttls" });
    await visit.go("/account");
    await visit.page.getByLabel("Invite somebody as").selectOption("viewer");
    await visit.page.getByRole("button", { name: "Make a link" }).click();
    const link = await visit.page.getByRole("status").locator("code").innerText();
    const viewer = await bench.visit(visit.site);
    await comeIn(viewer, link, "vera");
    await viewer.go(address);
    assert.equal(await viewer.page.locator("main form").count(), 0);
    assert.equal(await viewer.page.locator('main a[href$="/edit"], main a[href$="/remove"]').count(), 0);
    await sound(viewer);
  },
};
