import { access, glob, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import * as protocol from '@parley/protocol';
import { errorCodes } from '@parley/protocol';
import type { Method } from '@parley/protocol';
import { descriptions } from '@parley/protocol/documents';
import { commonSettings } from '@parley/service-kit';
import type { Setting, Settings } from '@parley/service-kit';
import { settings as auth } from '../services/auth/src/settings.ts';
import { settings as files } from '../services/files/src/settings.ts';
import { settings as gateway } from '../services/gateway/src/settings.ts';
import { settings as messages } from '../services/messages/src/settings.ts';
import { settings as rooms } from '../services/rooms/src/settings.ts';
import { listAnchors, listLinks } from './markdown/links.ts';

const services: Record<string, Settings> = { gateway, auth, rooms, messages, files };

/** The pages of the root and of docs/, and what each package and example says of itself. */
const linkingPages = ['*.md', 'docs/**/*.md', 'packages/*/README.md', 'examples/*/README.md'];
const root = fileURLToPath(new URL('..', import.meta.url));

async function page(name: string): Promise<string> {
  return readFile(join(root, name), 'utf8');
}

/** Whether there is that file or folder, and in it that heading, if one is meant. */
async function isThere(name: string, anchor?: string): Promise<boolean> {
  const exists = await access(join(root, name)).then(
    () => true,
    () => false,
  );
  return exists && (anchor === undefined || listAnchors(await page(name)).includes(anchor));
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
  const lines = [...rows.values()].map(({ setting: { variable, mayBeFile, defaultText, doc }, readers }) => {
    const names = mayBeFile ? `\`${variable}\` or \`${variable}_FILE\`` : `\`${variable}\``;
    return `| ${names} | ${defaultOf(defaultText)} | ${readers.join(', ')} | ${doc} |`;
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

test('every method of a service is among the endpoints of security.md', async () => {
  const [, section = ''] = (await page('docs/security.md')).split('\n### Every endpoint\n');
  const [endpoints = ''] = section.split(/\n##+ /);
  const methods = Object.values<unknown>(protocol).filter(isMethod);
  expect(methods.length).toBeGreaterThan(50);
  // What a gateway does itself is no endpoint.
  const asked = methods.filter(({ name }) => !name.startsWith('gateway.'));
  expect(asked.filter(({ name }) => !endpoints.includes(`\`${name}\``))).toEqual([]);
});

function isMethod(value: unknown): value is Method {
  return typeof value === 'object' && value !== null && 'request' in value && 'reply' in value;
}

test.each(descriptions)('every action of $title is in protocol.md', async ({ requests }) => {
  const text = await page('docs/protocol.md');
  const actions = Object.keys(requests);
  expect(actions.length).toBeGreaterThan(0);
  expect(actions.filter((action) => !new RegExp(`\`${action}\\b`).test(text))).toEqual([]);
});

test('every file that architecture.md names as a test exists', async () => {
  const named = [
    ...(await page('docs/architecture.md')).matchAll(/`((?:test|services)\/[\w/.-]+\.test\.ts)`/g),
  ];
  expect(named.length).toBeGreaterThan(5);
  for (const [, file] of named) await expect(page(file!)).resolves.toContain('test(');
});

test('every test that security.md names exists, in that file and by that title', async () => {
  const rows = (await page('docs/security.md')).split('\n');
  const missing: string[] = [];
  let found = 0;
  for (const row of rows) {
    let file: string | undefined;
    for (const [, named, title] of row.matchAll(/`([\w/.-]+\.test\.ts)`|"([^"]+)"/g)) {
      file = named ?? file;
      if (file === undefined) continue;
      found += 1;
      const text = await page(file).catch(() => '');
      if (text === '' || !text.includes(title ?? '')) missing.push(`${file} "${title ?? ''}"`);
    }
  }
  expect(missing).toEqual([]);
  expect(found).toBeGreaterThan(200);
});

test('every link from page to page leads to a file that exists, and to a heading in it', async () => {
  const lost: string[] = [];
  let found = 0;
  for await (const name of glob(linkingPages, { cwd: root })) {
    for (const link of listLinks(await page(name))) {
      if (/^[a-z]+:/.test(link)) continue;
      found += 1;
      const [file, anchor] = link.split('#');
      const target = file === '' ? name : join(dirname(name), file!);
      if (!(await isThere(target, anchor))) lost.push(`${name}: ${link}`);
    }
  }
  expect(lost).toEqual([]);
  expect(found).toBeGreaterThan(200);
});
