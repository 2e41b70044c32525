// Coming in for the first time, signing in and out, inviting, ending every session.
import assert from "node:assert/strict";
import { PASSWORD, comeIn, signIn } from "../people.mjs";

export default {
  async "the first start leads to an owner, once"(bench) {
    const site = await bench.site();
    const visit = await bench.visit(site);
    const link = await site.firstLink;
    const { page } = visit.expects(422, 404);
    await page.goto(link);
    await page.getByLabel("Name").fill("anna");
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByLabel("The same again").fill("other words of chance");
    await page.locator("main button").click();
    await page.getByRole("alert").getByText("not the same").waitFor();
    assert.equal(await page.getByLabel("Name").inputValue(), "anna", "what was typed stays");
    assert.equal(await page.getByLabel("Password", { exact: true }).inputValue(), "");
    await comeIn(visit, link);
    assert.match(await page.locator("main").innerText(), /Signed in as anna, role owner/);
    await page.goto(link);
    assert.equal(await page.locator("main form").count(), 0, "the link works once");
  },

  async "a wrong password is refused, the right one is not, and signing out ends it"(bench) {
    const site = await bench.site();
    const visit = await bench.visit(site);
    const { page } = visit.expects(401);
    await comeIn(visit, await site.firstLink);
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.waitForURL(`${site.origin}/`);
    await visit.go("/account");
    assert.equal(visit.path(), "/sign-in");
    await signIn(visit, "anna", "other words of chance");
    await page.getByRole("alert").waitFor();
    await signIn(visit);
    await page.getByRole("heading", { name: "Account" }).waitFor();
  },

  async "somebody invited comes in with the role of the invitation"(bench) {
    const site = await bench.site();
    const owner = await bench.visit(site);
    await comeIn(owner, await site.firstLink);
    await owner.page.getByLabel("Invite somebody as").selectOption("sender");
    await owner.page.getByRole("button", { name: "Make a link" }).click();
    const link = await owner.page.getByRole("status").locator("code").innerText();
    const guest = await bench.visit(site);
    await comeIn(guest, link, "bert");
    assert.match(await guest.page.locator("main").innerText(), /Signed in as bert, role sender/);
    assert.equal(await guest.page.getByLabel("Invite somebody as").count(), 0);
    await owner.go("/account");
    const people = await owner.page.getByRole("region", { name: "People" }).innerText();
    assert.match(people, /anna/);
    assert.match(people, /bert/);
    const log = await owner.page.getByRole("region", { name: "What was changed" }).innerText();
    assert.match(log, /user\.invited/);
  },

  async "signing out everywhere ends the session of another browser"(bench) {
    const site = await bench.site();
    const here = await bench.visit(site);
    await comeIn(here, await site.firstLink);
    const there = await bench.visit(site);
    await signIn(there);
    await there.page.getByRole("button", { name: "Sign out everywhere" }).click();
    await there.page.getByRole("heading", { name: "Sign in" }).waitFor();
    await here.go("/account");
    assert.equal(here.path(), "/sign-in");
  },
};
