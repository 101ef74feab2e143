import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { letterFrequencies, messageOfTransaction, transactionIdOf } from '@parley/protocol';
import { asyncApiOf, descriptions } from '@parley/protocol/documents';
import { startParley } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { Ajv } from 'ajv';
import { frameOf, Player } from './protocol-guides/player.ts';
import type { AnyFrame } from './protocol-guides/player.ts';
import { stepsOf } from './protocol-guides/script.ts';
import type { Step } from './protocol-guides/script.ts';

let parley: Parley;
beforeAll(async () => {
  parley = await startParley();
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

const guides = await Promise.all(
  descriptions.map(async (description) => {
    const { name } = description.dialect;
    const text = await readFile(new URL(`../docs/protocol/${name}.md`, import.meta.url), 'utf8');
    return { name, text, steps: stepsOf(text), document: asyncApiOf(description) };
  }),
);

const ajv = new Ajv({ strict: false });

describe.each(guides)('the guide of $name', ({ text, steps, document }) => {
  test('is what happens', async () => {
    using player = new Player(parley.stack.gateways[0]!.url);
    for (const step of steps) {
      const played = await player.play(step);
      expect({ line: step.line, came: played?.actual }).toEqual({ line: step.line, came: played?.expected });
    }
    expect(player.unread).toEqual([]);
  });

  test('shows frames as they are written, and as the document says', () => {
    const frames = steps.filter(({ kind }) => ['sends', 'gets'].includes(kind));
    expect(frames.length).toBeGreaterThan(20);
    for (const { kind, text: written, line } of frames) {
      const frame = frameOf(written);
      if (frame.action !== '') expect({ line, written }).toEqual({ line, written: JSON.stringify(frame) });
      if (kind !== 'gets') continue;
      const schema = document.components.messages[`server.${frame.action}`]?.payload ?? false;
      expect({ line, isValid: ajv.validate(schema, frame), errors: ajv.errors }).toMatchObject({
        isValid: true,
      });
    }
  });

  test('gives messages the ids that they have', () => {
    for (const { data = {} } of steps.map(({ text: written }) => frameOf(written))) {
      const message = messageOfTransaction(String(data.transaction_id));
      if (!message) continue;
      expect(data.transaction_id).toBe(transactionIdOf(message.roomId, message.messageId));
      if (data.message_id !== undefined) expect(data).toMatchObject({ message_id: message.messageId });
    }
  });

  test('has the parts that every guide has', () => {
    const parts = [...text.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
    expect(parts).toEqual(
      expect.arrayContaining([
        'Connect',
        'Rooms and messages',
        'Errors',
        'Reconnect and resume',
        'Close codes',
        'Limits',
        'The integrity handshake',
        'Files',
      ]),
    );
  });
});

describe('the handshake of the guide counts what it shows:', () => {
  const { steps, text } = guides.find(({ name }) => name === 'login')!;
  const counts = steps.filter(({ text: written }) => frameOf(written).action === 'character_count');

  test('there are counts both ways', () => {
    expect(new Set(counts.map(({ kind }) => kind))).toEqual(new Set(['gets', 'sends']));
  });

  test.each(counts)('line $line', (count) => {
    const counted = countedBy(count, steps);
    expect(frameOf(count.text)['data'].letter_frequencies).toEqual(letterFrequencies(counted.text));
  });

  test('and the sums that it tells', () => {
    const [request, delivery] = ['gets', 'sends'].map(
      (kind) =>
        countedBy(
          counts.find((count) => count.kind === kind)!,
          steps,
        ).text,
    );
    const [, ofRequest, quotes] = /it counted (\d+) characters, (\d+) of them quotes/.exec(text)!;
    expect([Number(ofRequest), Number(quotes)]).toEqual([
      Array.from(request!).length,
      letterFrequencies(request!)['"'],
    ]);
    expect(Number(/It has (\d+) characters/.exec(text)![1])).toBe(Array.from(delivery!).length);
  });
});

/** The frame that a count is about: the last one of its client that it can be. */
function countedBy(count: Step, steps: readonly Step[]): Step {
  const { original_action: action, transaction_id: transaction } = frameOf(count.text)['data'];
  const isCounted = (frame: AnyFrame) =>
    count.kind === 'gets'
      ? frame.action === action
      : frame.action.startsWith('receive_') && frame['data'].transaction_id === transaction;
  const before = steps.slice(0, steps.indexOf(count));
  const kind = count.kind === 'gets' ? 'sends' : 'gets';
  return before.findLast(
    (step) => step.who === count.who && step.kind === kind && isCounted(frameOf(step.text)),
  )!;
}

describe('the pages at /docs', () => {
  const paths = ['/docs', '/docs/login', '/docs/identify', '/docs/join', '/docs/http'];

  function get(path: string): Promise<Response> {
    return fetch(`${parley.stack.gateways[0]!.url}${path}`);
  }

  test.each(paths)('%s runs nothing, and all that it leads to is there', async (path) => {
    const answer = await get(path);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = answer.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none';style-src 'self';");
    expect(policy).not.toContain('unsafe');
    const page = await answer.text();
    expect(page).not.toMatch(/<script|<style|\son\w+=|\sstyle=|javascript:|https?:\/\/(?!localhost)/);
    const links = [...page.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, link]) => link!);
    for (const link of new Set(links)) {
      if (link.startsWith('#')) expect(page).toContain(`id="${link.slice(1)}"`);
      else expect({ link, status: (await get(link)).status }).toEqual({ link, status: 200 });
    }
  });

  test.each(guides)(
    'the page of $name has every frame and every field of its document',
    async ({ name, document }) => {
      const page = await (await get(`/docs/${name}`)).text();
      for (const [key, { summary, payload }] of Object.entries(document.components.messages)) {
        expect(page).toContain(`<section id="${key}">`);
        const shown = page.slice(page.indexOf(`<section id="${key}">`)).split('</section>', 1)[0]!;
        expect(shown.replace(/<\/?code>/g, '`')).toContain(summary.split(/["'<&]/, 1)[0]!);
        for (const field of Object.keys(payload.properties!))
          expect(shown).toContain(`<code>${field}</code>`);
      }
    },
  );

  test.each(guides)('the document of $name is that of docs/protocol', async ({ name, document }) => {
    const served = await get(`/docs/${name}.asyncapi.json`);
    expect(served.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await served.json()).toEqual(JSON.parse(JSON.stringify(document)));
  });

  test('the page of the HTTP API has every request of its document', async () => {
    const page = await (await get('/docs/http')).text();
    const { paths: requests } = (await (await get('/api/openapi.json')).json()) as {
      paths: Record<string, object>;
    };
    for (const [path, methods] of Object.entries(requests)) {
      for (const method of Object.keys(methods))
        expect(page).toContain(`${method.toUpperCase()} ${path}</a>`);
    }
  });

  test('there is nothing else', async () => {
    for (const path of ['/docs/nothing', '/docs/../package.json', '/docs/login/']) {
      expect((await get(path)).status).toBe(404);
    }
    const posted = await fetch(`${parley.stack.gateways[0]!.url}/docs`, { method: 'POST' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});
