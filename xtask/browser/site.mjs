// A site of the built binary: started for a test, ended after it. Its data are temporary.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const running = new Set();
process.on("exit", () => running.forEach((site) => site.end()));

export class Site {
  // Starts `waxseal ARGS` and waits for the address that it prints first.
  static async start(binary, args) {
    const site = new Site();
    site.folder = mkdtempSync(join(tmpdir(), "waxseal-browser-"));
    const all = [...args, "--listen", "127.0.0.1:0", "--quiet"];
    site.child = spawn(binary, all, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, XDG_DATA_HOME: site.folder },
    });
    running.add(site);
    const ended = new Promise((resolve) => site.child.once("exit", resolve));
    site.ended = ended;
    const notes = [];
    const lines = createInterface({ input: site.child.stderr });
    site.firstLink = new Promise((resolve) => {
      lines.on("line", (line) => {
        notes.push(line);
        const link = line.match(/http\S+\/enter\/\S+/);
        if (link) resolve(link[0]);
      });
    });
    const address = new Promise((resolve) => createInterface({ input: site.child.stdout }).once("line", resolve));
    site.origin = await Promise.race([address, ended.then(() => undefined)]);
    if (!site.origin) throw new Error(`the site did not start: ${all.join(" ")}\n${notes.join("\n")}`);
    return site;
  }

  end() {
    this.child.kill("SIGTERM");
    running.delete(this);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
