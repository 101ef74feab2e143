import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

/** Where Debian has it; nothing is ever downloaded for a test. */
const executablePath = '/usr/bin/chromium';

/** No sandbox, as tests may run as root; and nothing that asks the network on its own. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Why no browser can be started here; undefined where one can. */
export function browserObstacle(): string | undefined {
  return existsSync(executablePath)
    ? undefined
    : `there is no ${executablePath} (apt-get install chromium gets it)`;
}

/** Starts a Chromium without a window; it ends with `close`, or with this process. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath, args: flags });
}
