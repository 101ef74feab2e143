import { findPrograms } from '@parley/local-stack';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

/** No sandbox, as tests may run as root; and nothing that asks the network on its own. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Why no browser can be started here; undefined where one can, if need be after it was installed. */
export async function browserObstacle(): Promise<string | undefined> {
  return findBrowser().then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  );
}

/** Starts a Chromium without a window; it ends with `close`, or with this process. @throws LocalStackError where there is none. */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: await findBrowser(), args: flags });
}

/** The machine's own: none is ever downloaded but as a package of the system. */
async function findBrowser(): Promise<string> {
  const { chromium: path } = await findPrograms(['chromium'], (line) => {
    process.stdout.write(`${line}\n`);
  });
  return path;
}
