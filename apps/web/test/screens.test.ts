import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { FileSender, until, type LoginClient, type Parley } from '@parley/test-kit';
import { picture } from './picture.ts';
import { describeInBrowser } from './stage.ts';
import type { WebClient } from './web-client.ts';

/** Where people can look at the screens; not in git. */
const folder = fileURLToPath(new URL('../screenshots/', import.meta.url));
/** Those of the README, written when they are asked for: `PARLEY_WRITE_IMAGES=1 npm test -- apps/web/test/screens`. */
const images = fileURLToPath(new URL('../../../docs/images/', import.meta.url));
const shown: Partial<Record<string, string>> = { 'room-light': 'web-light', 'room-phone': 'web-phone' };
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  id: string;
  help: string;
  nodes: { html: string; failureSummary: string }[];
}

/** As fine as pictures should be; nobody looks at the others. */
const deviceScaleFactor = process.env.PARLEY_WRITE_IMAGES === undefined ? 1 : 2;

const looks = {
  light: { colorScheme: 'light', deviceScaleFactor },
  dark: { colorScheme: 'dark' },
  phone: {
    colorScheme: 'light',
    viewport: { width: 390, height: 844 },
    deviceScaleFactor,
    hasTouch: true,
    isMobile: true,
  },
} as const;

/** Rooms with something in them, as people would leave them. */
async function furnish(parley: Parley): Promise<{ jonas: LoginClient; crew: string }> {
  const mira = await parley.logIn('Mira', 1);
  const jonas = await parley.logIn('Jonas', 1);
  const tomasz = await parley.logIn('Tomasz', 1);
  const garden = await roomOf(mira, 'garden', 'public');
  await roomOf(jonas, 'cycling', 'public');
  await roomOf(tomasz, 'board games', 'public');
  for (const client of [jonas, tomasz]) await client.ask('join_room', { room_id: garden });
  const crew = await roomOf(jonas, 'saturday crew', 'private', ['Mira', 'Tomasz']);

  await say(mira, garden, 'Good morning! The greenhouse made it through the storm 🌱');
  await say(mira, garden, 'One pane is loose on the north side, nothing broken.');
  await new FileSender(mira, garden, 'view from the shed.png', picture(640, 360), {
    type: 'image/png',
  }).send();
  await say(jonas, garden, 'That’s a relief. I can bring the ladder and some putty on Saturday.');
  await say(tomasz, garden, 'I have spare glass, 4 mm. What size do we need?');
  await say(
    mira,
    garden,
    '62 × 48 cm. The plan:\n1. take out the old putty\n2. new pane in\n3. paint, if it stays dry',
  );
  await new FileSender(tomasz, garden, 'glass prices 2026.pdf', Buffer.alloc(48_213, 'glass'), {
    type: 'application/pdf',
  }).send();
  await say(jonas, garden, 'Forecast looks good: https://weather.example/garden-lane/saturday');
  await say(tomasz, garden, '👍🎉');
  await say(mira, garden, 'Perfect, ten o’clock then? I’ll bring tea and the blue paint.');
  const told = () => jonas.received.filter(({ action }) => /^(?:receive_(?:message|file)|ack)$/.test(action));
  await until('Jonas has it all', () => told().length === 10);
  for (const { data } of told()) jonas.send({ action: 'ack', data: { transaction_id: data.transaction_id } });
  await mira.close();
  return { jonas, crew };
}

async function roomOf(
  owner: LoginClient,
  name: string,
  visibility: string,
  participants: string[] = [],
): Promise<string> {
  const { room_id } = await owner.ask('create_room', { room_name: name, participants, visibility });
  return room_id as string;
}

async function say(client: LoginClient, roomId: string, content: string): Promise<void> {
  await client.ask('send_message', { room_id: roomId, content });
}

/** A guest's name is taken for a while after it was cut off. */
const guests = ['Robin', 'Elif', 'Noor', 'Sam', 'Kofi', 'Ines'];

describeInBrowser('the screens', { gateways: 2 }, (stage) => {
  let jonas: LoginClient;
  let crew: string;
  beforeAll(async () => {
    await mkdir(folder, { recursive: true });
    ({ jonas, crew } = await furnish(stage.parley));
  });

  describe.each(Object.entries(looks))('in the %s look axe finds nothing wrong with', (look, options) => {
    const isPhone = look === 'phone';

    /** Takes a picture of the screen, and asks axe about it. */
    async function examine(client: WebClient, screen: string): Promise<void> {
      const name = `${screen}-${look}`;
      await client.page.evaluate('document.fonts.ready');
      const image = await client.page.screenshot({ path: `${folder}${name}.png`, animations: 'disabled' });
      if (process.env.PARLEY_WRITE_IMAGES === '1' && shown[name] !== undefined) {
        await writeFile(`${images}${shown[name]}.png`, image);
      }
      await client.page.evaluate(axe);
      const { violations } = await client.page.evaluate<{ violations: Violation[] }>('axe.run()');
      const found = violations.flatMap(({ id, nodes }) =>
        nodes.map((node) => [id, node.html, node.failureSummary]),
      );
      expect(found).toEqual([]);
    }

    test('signing in', async () => {
      await using client = await stage.open(options);
      await examine(client, 'sign-in');
      await client.page.getByRole('radio', { name: 'Register' }).check();
      await client.page.getByLabel('Name', { exact: true }).fill('Mira');
      await client.page.getByLabel('Password').fill('a good password');
      await client.button('Create account').click();
      await client.page.getByRole('alert').waitFor();
      await examine(client, 'register');
    });

    test('rooms, messages and details', async () => {
      await using client = await stage.open(options);
      await client.signIn('Mira');
      await client.roomLink('garden').waitFor();
      await say(jonas, crew, 'Who has the key to the shed?');
      await client.roomLink('saturday crew').getByText('1 unread').waitFor();
      await examine(client, 'rooms');
      await client.openRoom('garden');
      await client.hears('ten o’clock');
      await client.page
        .getByRole('button', { name: 'view from the shed.png', exact: true })
        .first()
        .waitFor();
      await examine(client, 'room');
      await client.button('Room details').click();
      await client.page.getByText('Owner').waitFor();
      await client.page.getByRole('complementary').getByText('glass prices').waitFor();
      await examine(client, 'details');
      await client.button('Delete room').click();
      await examine(client, 'delete');
      await client.button('Keep it').click();
      await client.button('Close room details').click();
      await client.page.getByRole('button', { name: 'view from the shed.png', exact: true }).first().click();
      await examine(client, 'picture');
      await client.button('Close').click();
      await client.button('Emoji').click();
      await client.page.getByRole('menuitem').first().waitFor();
      await examine(client, 'emoji');
      await client.page.keyboard.press('Escape');
      if (isPhone) await client.button('Back to the rooms').click();
      await client.openRoom('saturday crew');
      await client.hears('Who has the key');
    });

    test('rooms seen from outside, making one, and settings', async () => {
      await using client = await stage.open(options);
      await client.enterAsGuest(guests.shift()!);
      await client.composer.waitFor();
      await examine(client, 'empty-room');
      if (isPhone) await client.button('Back to the rooms').click();
      await client.button('New room').click();
      await examine(client, 'new-room');
      await client.page.keyboard.press('Escape');
      await client.button(/settings/).click();
      await examine(client, 'settings');
      await client.page.keyboard.press('Escape');
      await client.openRoom('garden');
      await client.hears('ten o’clock');
      await examine(client, 'preview');
    });

    test('a lost connection', async () => {
      await using client = await stage.open(options);
      await client.enterAsGuest(guests.shift()!);
      await client.page.locator('.beginning').waitFor();
      const gateway = stage.parley.stack.gateways[0]!;
      await gateway.stop();
      try {
        await client.page.getByText('No connection').waitFor();
        await client.say('I will be there at ten');
        await client.page.getByRole('img', { name: 'Sending' }).waitFor();
        const file = {
          name: 'time lapse of the spring.mp4',
          mimeType: 'video/mp4',
          buffer: Buffer.alloc(90_000),
        };
        await client.page.locator('input[type=file]').setInputFiles(file);
        await client.page.getByRole('progressbar').waitFor();
        await examine(client, 'offline');
        await client.button(/^Stop the upload/).click();
        await client.page.getByText(/^Stopped at/).waitFor();
        await examine(client, 'stopped');
        await client.button(/^Forget the upload/).click();
      } finally {
        await gateway.start();
      }
      await client.page.getByRole('img', { name: 'Sent' }).last().waitFor();
    });
  });
});
