import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '@parley/test-kit';
import { picture } from './picture.ts';
import { describeInBrowser, type Stage } from './stage.ts';
import type { WebClient } from './web-client.ts';

const mebibyte = 2 ** 20;
/** How long a file of this suite may be on its way, in ms, on a machine that has much else to do. */
const transferMs = 90_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-web-files-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function share(client: WebClient, name: string, bytes: Buffer): Promise<void> {
  const file = join(folder, name);
  await writeFile(file, bytes);
  await client.page.locator('input[type=file]').setInputFiles(file);
}

async function download(client: WebClient, name: string): Promise<Buffer> {
  const started = client.page.waitForEvent('download', { timeout: transferMs });
  await client.button(`Download ${name}`).first().click();
  const saved = await started;
  expect(saved.suggestedFilename()).toBe(name);
  return readFile(await saved.path());
}

interface Two extends AsyncDisposable {
  owner: WebClient;
  member: WebClient;
}

/** A room's owner in one browser, a member in another. */
async function twoIn(stage: Stage, room: string, names: [string, string]): Promise<Two> {
  await using opened = new AsyncDisposableStack();
  const owner = opened.use(await stage.open());
  const member = opened.use(await stage.open({ gateway: 1 }));
  await owner.register(names[0]);
  await owner.createRoom(room, 'Public');
  await member.register(names[1]);
  await member.openRoom(room);
  await member.button('Join room').click();
  await member.composer.waitFor();
  const open = opened.move();
  return { owner, member, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

describeInBrowser('files in browsers', { gateways: 2 }, (stage) => {
  test(
    'a file of 20 MiB goes up in one and comes down in another, byte for byte',
    async () => {
      await using two = await twoIn(stage, 'archive', ['Ada', 'Ben']);
      const { owner: ada, member: ben } = two;
      const bytes = randomBytes(20 * mebibyte);
      await share(ada, 'recording.bin', bytes);
      await ada.page.getByRole('progressbar', { name: 'Upload of recording.bin' }).waitFor();
      await ben.button('Download recording.bin').waitFor({ timeout: transferMs });
      await ada.page.getByRole('progressbar').waitFor({ state: 'detached' });
      expect(sha256(await download(ben, 'recording.bin'))).toBe(sha256(bytes));
      expect(sha256(await download(ada, 'recording.bin'))).toBe(sha256(bytes));
    },
    4 * transferMs,
  );

  test(
    'an upload is stopped and goes on later, over the death of its gateway',
    async () => {
      await using two = await twoIn(stage, 'workshop', ['Cleo', 'Dara']);
      const { owner: cleo, member: dara } = two;
      const bytes = randomBytes(40 * mebibyte);
      await share(cleo, 'plan.bin', bytes);
      await cleo.button('Stop the upload of plan.bin').click();
      await cleo.page.getByText(/^Stopped at/).waitFor();
      await cleo.button('Go on with the upload of plan.bin').click();
      await cleo.page.getByText(/of 42 MB/).waitFor();
      const [gateway] = stage.parley.stack.gateways;
      await gateway!.kill();
      await gateway!.ready();
      await dara.button('Download plan.bin').waitFor({ timeout: transferMs });
      expect(sha256(await download(dara, 'plan.bin'))).toBe(sha256(bytes));
    },
    3 * transferMs,
  );

  test('what is pasted or dropped is shared; pictures are shown, and a name is never taken away', async () => {
    await using two = await twoIn(stage, 'pictures', ['Emil', 'Faye']);
    const { owner: emil, member: faye } = two;
    const png = picture(320, 180).toString('base64');
    await emil.page.evaluate(
      `((target) => {
        const data = new DataTransfer();
        const bytes = Uint8Array.from(atob('${png}'), (character) => character.charCodeAt(0));
        data.items.add(new File([bytes], 'image.png', { type: 'image/png' }));
        target.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
      })(document.querySelector('textarea'))`,
    );
    const shown = faye.page.getByRole('button', { name: /^pasted .*\.png$/ }).first();
    await shown.getByRole('img').waitFor();
    await until('the picture is loaded', () =>
      faye.page.evaluate<boolean>("document.querySelector('.picture img').naturalWidth === 320"),
    );
    await shown.click();
    await faye.page.getByRole('dialog', { name: /^pasted/ }).waitFor();
    await faye.page.keyboard.press('Escape');

    for (const words of ['first', 'second']) {
      await emil.page.evaluate(
        `((target) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File(['${words}'], 'notes.txt', { type: 'text/plain' }));
          for (const type of ['dragenter', 'dragover', 'drop']) {
            target.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
          }
        })(document.querySelector('.timeline-scroller'))`,
      );
      await faye.button(words === 'first' ? 'Download notes.txt' : 'Download notes (2).txt').waitFor();
    }
    expect((await download(faye, 'notes.txt')).toString()).toBe('first');
    expect((await download(faye, 'notes (2).txt')).toString()).toBe('second');
    await faye.button('Room details').click();
    await faye.page.getByRole('complementary').getByText('notes (2).txt').waitFor();
  });
});
