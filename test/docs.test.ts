import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { errorCodes } from '@parley/protocol';
import { commonSettings } from '@parley/service-kit';
import type { Setting, Settings } from '@parley/service-kit';
import { settings as auth } from '../services/auth/src/settings.ts';
import { settings as files } from '../services/files/src/settings.ts';
import { settings as gateway } from '../services/gateway/src/settings.ts';
import { settings as messages } from '../services/messages/src/settings.ts';
import { settings as rooms } from '../services/rooms/src/settings.ts';

const services: Record<string, Settings> = { gateway, auth, rooms, messages, files };

async function page(name: string): Promise<string> {
  return readFile(new URL(`../${name}`, import.meta.url), 'utf8');
}

/** The table of operations.md, made of what the code says. */
function settingsTable(): string {
  const rows = new Map<string, { setting: Setting<unknown>; readers: string[] }>();
  for (const setting of Object.values(commonSettings))
    rows.set(setting.variable, { setting, readers: ['all'] });
  for (const [service, settings] of Object.entries(services)) {
    for (const setting of Object.values(settings)) {
      const row = rows.get(setting.variable) ?? { setting, readers: [] };
      rows.set(setting.variable, { ...row, readers: [...row.readers, service] });
    }
  }
  const lines = [...rows.values()].map(({ setting: { variable, defaultText, doc }, readers }) => {
    return `| \`${variable}\` | ${defaultOf(defaultText)} | ${readers.join(', ')} | ${doc} |`;
  });
  return ['| variable | default | read by | meaning |', '| --- | --- | --- | --- |', ...lines].join('\n');
}

function defaultOf(text: string | undefined): string {
  if (text === undefined) return 'required';
  return text === '' ? 'none' : `\`${text}\``;
}

test('the settings table of operations.md is what the code reads', async () => {
  expect(await page('docs/operations.md')).toContain(settingsTable());
});

test.each(Object.entries(errorCodes))('%s is explained in protocol.md', async (code, { http, text }) => {
  const line = (await page('docs/protocol.md'))
    .split('\n')
    .find((candidate) => candidate.startsWith(`| \`${code}\``));
  expect(line).toContain(`| ${http} |`);
  expect(line).toContain(text);
});

test('every file that architecture.md names as a test exists', async () => {
  const named = [
    ...(await page('docs/architecture.md')).matchAll(/`((?:test|services)\/[\w/.-]+\.test\.ts)`/g),
  ];
  expect(named.length).toBeGreaterThan(5);
  for (const [, file] of named) await expect(page(file!)).resolves.toContain('test(');
});
