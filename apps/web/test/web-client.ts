import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';
import { password, patienceMs } from '@parley/test-kit';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';

/** Where `apps/web/build.mjs`, which `npm test` runs first, puts the web client. */
export const webDir = fileURLToPath(new URL('../dist', import.meta.url));
if (!existsSync(webDir))
  throw new Error('the web client is not built: run npm test, or node apps/web/build.mjs');

/** One person's browser, looked at as a person does: by what is written on things. */
export class WebClient implements AsyncDisposable {
  readonly page: Page;
  /** What the page complained about, such as what its policy forbade. */
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      // A lost connection is told by the browser, too.
      if (message.type() === 'error' && !/WebSocket connection|ERR_/.test(message.text())) {
        this.complaints.push(message.text());
      }
    });
  }

  /** A browser of its own, with nothing from others. */
  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<WebClient> {
    const context = await browser.newContext({
      locale: 'en-GB',
      viewport: { width: 1280, height: 800 },
      ...options,
    });
    context.setDefaultTimeout(patienceMs);
    const client = new WebClient(await context.newPage());
    await client.page.goto(url);
    return client;
  }

  async enterAsGuest(name: string): Promise<void> {
    await this.page.getByLabel('Name', { exact: true }).fill(name);
    await this.page.getByRole('button', { name: 'Enter as guest' }).click();
    // A guest's first room is opened at once, which on a phone takes the place of the list.
    await this.page.getByRole('navigation', { name: 'Rooms' }).or(this.composer).first().waitFor();
  }

  async register(name: string): Promise<void> {
    await this.page.getByRole('radio', { name: 'Register' }).check();
    await this.#giveNameAndPassword(name, 'Create account');
  }

  async signIn(name: string): Promise<void> {
    await this.page.getByRole('radio', { name: 'Sign in' }).check();
    await this.#giveNameAndPassword(name, 'Sign in');
  }

  async #giveNameAndPassword(name: string, button: string): Promise<void> {
    await this.page.getByLabel('Name', { exact: true }).fill(name);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: button }).click();
    await this.page.getByRole('navigation', { name: 'Rooms' }).waitFor();
  }

  roomLink(name: string): Locator {
    return this.page
      .getByRole('navigation', { name: 'Rooms' })
      .getByRole('button', { name: new RegExp(`^${name}\\b`) });
  }

  async openRoom(name: string): Promise<void> {
    await this.roomLink(name).click();
    await this.page.getByRole('heading', { name, exact: true }).waitFor();
  }

  get composer(): Locator {
    return this.page.getByRole('textbox', { name: /^Message / });
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  /** The message of that text. */
  message(text: string): Locator {
    return this.page.getByRole('article').filter({ hasText: text });
  }

  async hears(text: string): Promise<void> {
    await this.message(text).first().waitFor();
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name });
  }

  async createRoom(name: string, kind: 'Public' | 'Private'): Promise<void> {
    await this.button('New room').click();
    const dialog = this.page.getByRole('dialog', { name: 'New room' });
    await dialog.getByLabel('Name', { exact: true }).fill(name);
    await dialog.getByRole('radio', { name: kind }).check();
    await dialog.getByRole('button', { name: 'Create room' }).click();
    await this.page.getByRole('heading', { name, exact: true }).first().waitFor();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
    expect(this.complaints).toEqual([]);
  }
}
