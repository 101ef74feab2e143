import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { startParley, type Parley, type ParleyOptions } from '@parley/test-kit';
import { browserObstacle, launchBrowser } from '@parley/test-kit/browser';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { webDir, WebClient } from './web-client.ts';

/** What a suite has: a whole Parley that serves the web client, and a browser. */
export interface Stage {
  parley: Parley;
  /** Opens the web client of a gateway (default: the first) for one person. */
  open(options?: BrowserContextOptions & { gateway?: number }): Promise<WebClient>;
}

const obstacle = await browserObstacle();

/** A suite on the real system in a real browser; where there is none, it is told why it was left out. */
export function describeInBrowser(
  title: string,
  options: ParleyOptions,
  suite: (stage: Stage) => void,
): void {
  if (obstacle !== undefined) {
    test.skip(`${title}: skipped, because ${obstacle}`, () => {});
    return;
  }
  describe(title, () => {
    let browser: Browser;
    const stage = {} as Stage;
    beforeAll(async () => {
      stage.parley = await startParley({ webDir, ...options });
      browser = await launchBrowser();
      stage.open = ({ gateway = 0, ...context } = {}) =>
        WebClient.open(browser, stage.parley.stack.gateways[gateway]!.url, context);
    });
    afterAll(async () => {
      await browser.close();
      await stage.parley[Symbol.asyncDispose]();
    });
    suite(stage);
  });
}
