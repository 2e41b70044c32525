// Guides, search, findings, services.
import assert from "node:assert/strict";

export default {
  async "from the shelves to a page, its contents and its Markdown"(bench) {
    const site = await bench.site();
    const visit = await bench.visit(site);
    const { page } = visit;
    await visit.go("/");
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Guides" }).click();
    const titles = await page.locator(".cards h3").allInnerTexts();
    assert.ok(titles.length >= 5, JSON.stringify(titles));
    await page.locator('.cards a[href="/guides/tls"]').click();
    assert.match(await page.locator("main").innerText(), /\d+ minutes/);
    const contents = page.getByRole("complementary", { name: "On this page" }).getByRole("link");
    assert.ok((await contents.count()) > 5);
    for (const link of await contents.all()) {
      const anchor = (await link.getAttribute("href")).slice(1);
      assert.equal(await page.locator(`[id="${anchor}"]`).count(), 1, anchor);
    }
    assert.ok((await page.getByRole("region", { name: "Related guides" }).getByRole("link").count()) >= 1);
    const markdown = await page.request.get(`${site.origin}/guides/tls.md`);
    assert.match(markdown.headers()["content-type"], /^text\/markdown/);
    await page.getByRole("navigation", { name: "You are here" }).getByRole("link", { name: "Guides" }).click();
    assert.equal(visit.path(), "/guides");
  },

  async "search finds guides and findings, and helps when it finds nothing"(bench) {
    const site = await bench.site();
    const visit = await bench.visit(site);
    const { page } = visit;
    await visit.go("/guides");
    const search = page.getByRole("searchbox");
    await search.fill("certificate expired");
    await search.press("Enter");
    await page.waitForURL("**/guides?q=*");
    await page.locator(".hits a").filter({ hasText: "The certificate is past its end date" }).click();
    assert.equal(visit.path(), "/guides/findings/cert-expired");
    await visit.go("/guides?q=zzzzqqqq");
    await page.getByText("Nothing has all of these words").waitFor();
    assert.ok((await page.locator('main a[href="/guides/findings"]').count()) >= 1);
  },

  async "every finding has a page that says who has to act"(bench) {
    const site = await bench.site();
    const visit = await bench.visit(site);
    const { page } = visit;
    await visit.go("/guides/findings");
    const links = await page.locator("tbody a").evaluateAll((all) => all.map((link) => link.getAttribute("href")));
    assert.ok(links.length > 150, `${links.length} findings`);
    assert.equal(new Set(links).size, links.length);
    for (const address of links.filter((_, index) => index % 20 === 0)) {
      await visit.go(address);
      const text = await page.locator("main").innerText();
      assert.match(text, /Owner|Who/i, address);
      assert.ok((await page.locator("main h1").count()) === 1, address);
    }
  },

  async "the services with host, port and mode"(bench) {
    const site = await bench.site();
    const visit = await bench.visit(site);
    await visit.go("/presets");
    const rows = visit.page.locator("tbody tr");
    assert.ok((await rows.count()) >= 60);
    const postmark = await rows.filter({ hasText: "smtp.postmarkapp.com" }).innerText();
    assert.match(postmark, /587[^]*starttls/);
  },
};
