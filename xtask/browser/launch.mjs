// Debian's Chromium without a window. It reaches loopback and nothing else.
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];

export function launch(executablePath) {
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}
