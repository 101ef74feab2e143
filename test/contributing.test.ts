import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Path, readSteps } from './contributing/how-to.ts';
import type { Step } from './contributing/how-to.ts';
import { readSources } from './contributing/sources.ts';
import type { Source } from './contributing/sources.ts';

/** A list of CONTRIBUTING.md, and something that was added by it. */
interface HowTo {
  heading: string;
  /** What was added, by what it is called in the code. A file that has one of these in its text or its path had to be touched for it. */
  examples: Record<string, RegExp[]>;
  /** Files that have it without need, or need it for a reason of their own. */
  exceptions: Record<string, string>;
}

const howTos: HowTo[] = [
  {
    heading: 'How to add an action',
    examples: {
      'one that is passed on as it is, with an event': [
        /\b(rename_room|renameRoom|rooms\.rename)\b/,
        /\b([rR]oomRenamed|room[-_]renamed)\b/,
      ],
      'one that belongs to the connection': [/\b(watch_rooms|watchLobby|rooms_watched)\b/],
      'one over HTTP': [/\/api\/chat-history\/[{:]/],
      'one of operators': [/\bdropRoom\b/, /(?<=["'`.])rooms\.drop\b/],
      'an error': [/\bcannot_delete_default\b/],
      'one with a reply of its own': [/\b(get_receipts|listReceipts|receipts_list)\b/, /\bReceipt\b/],
      'one that asks another service': [/\bnoteEntry\b/],
    },
    exceptions: {
      'packages/protocol/src/*.test.ts': 'tests of what all have in common',
      'packages/protocol/src/dialects/*/requests.test.ts': 'tests of fields that many have',
      'deploy/prometheus/alerts.test.yml': 'a metric needs the name of some method',
      'docs/first-steps.md': 'the conversation that newcomers see',
      'examples/talk.ts': 'the same conversation',
      'services/gateway/src/rooms/room-channels.ts': 'keeps the names of open rooms',
      'services/gateway/src/rooms/room-channels.test.ts': 'keeps the names of open rooms',
      'test/fuzz/parts/http-source.ts': 'explains what a route is',
      'docs/architecture.md': 'tells how receipts begin',
      'test/faults/clients/login-*.ts': 'ask for receipts, to be audited',
      'test/faults/final-state.ts': 'audits receipts',
      'test/fuzz/parts/frames.ts': 'asks for something that is answered at once',
    },
  },
  {
    heading: 'How to add a dialect',
    examples: {
      'join, by the names of its parts': [
        /\b[jJ]oin(Bodies|Checks|Description|Dialect|Fixtures|Lines|Requests|Rules)\b/,
        /\bjoin-(client|talker|wire)\b/,
        /\b(dialects|docs|protocol)\/join\b/,
      ],
      'join, beside another one': [
        /\bidentify\b\W{1,6}join\b/,
        /^ *identify\b.*\n *join\b/m,
        /\bdialect: 'join'/,
        /^ *- the join dialect/m,
      ],
      'its path': [/\/ws\W{1,6}\/chat\b/],
    },
    exceptions: {
      'docs/security.md': '`identify` and `join` are actions there',
      'packages/protocol/src/frame.test.ts': 'needs some dialect as the default one',
      'test/bad-input.test.ts': 'connects on each path',
      'test/http.test.ts': 'connects on each path',
      'tools/conformance/src/checks/transport.ts': 'connects on each path',
      'test/metrics.test.ts': 'needs some dialect',
    },
  },
  {
    heading: 'How to add a service',
    examples: {
      'auth, by its folders, package and image': [
        /\b(base|clients|contract|parley|services)\/auth\b/,
        /^export \* from '\.\/auth\.ts'/m,
      ],
      'auth, beside another one': [/\bauth\b(-\d)?\W{1,6}rooms\b/, /^ *auth\b.*\n *rooms\b/m],
      'auth, as a user, its passwords, roles, objects': [
        /_AUTH_|\bparley_auth(_owner)?\b/,
        /\b(SERVICE|job_name|name|user): auth\b/,
      ],
    },
    exceptions: {
      'test/attacks.test.ts': 'reads metrics of the two that it attacks',
      'test/operators.test.ts': 'looks for what operators may ask of it',
      'tools/local-stack/src/log-follower.test.ts': 'needs lines of some service',
    },
  },
];

/** Where a mention says nothing of what has to be done: the list itself, this test, what is written once and stays as it was. */
const notLookedAt = [
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'bench/results/',
  'docs/decisions/',
  'docs/images/',
  'pnpm-lock.yaml',
  'test/contributing/',
  'test/contributing.test.ts',
].map((name) => new Path(name));

let page: string;
let sources: Source[];
let files: string[];
beforeAll(async () => {
  const all = await readSources();
  files = all.map(({ path }) => path);
  page = all.find(({ path }) => path === 'CONTRIBUTING.md')!.text;
  sources = all.filter(({ path }) => !notLookedAt.some((place) => place.covers(path)));
});

describe.each(howTos)('the steps of "$heading"', ({ heading, examples, exceptions }) => {
  let steps: Step[];
  /** Files with something of the examples in them, and which. */
  let touched: { file: string; by: string[] }[];
  beforeAll(() => {
    steps = readSteps(heading, page, files);
    touched = sources
      .map((source) => ({ file: source.path, by: examplesIn(source) }))
      .filter(({ by }) => by.length > 0);
  });
  const examplesIn = ({ path, text }: Source): string[] =>
    Object.keys(examples).filter((name) =>
      examples[name]!.some((pattern) => pattern.test(`${path}\n${text}`)),
    );
  const unnamed = () =>
    touched.filter(({ file }) => !steps.some(({ paths }) => paths.some((path) => path.covers(file))));

  test('are ten at most', () => {
    expect(steps.map(({ number }) => number)).toEqual(steps.map((_step, index) => index + 1));
    expect(steps.length).toBeGreaterThan(4);
    expect(steps.length).toBeLessThanOrEqual(10);
  });

  test('name nothing that was not touched for the examples', () => {
    const untouched = steps.flatMap(({ number, paths }) =>
      paths
        .filter((path) => !touched.some(({ file }) => path.covers(file)))
        .map(({ name }) => `step ${number}: ${name}`),
    );
    expect(untouched).toEqual([]);
  });

  test('name all that was touched for the examples', () => {
    const excepted = Object.keys(exceptions).map((name) => new Path(name));
    const missing = unnamed()
      .filter(({ file }) => !excepted.some((path) => path.covers(file)))
      .map(({ file, by }) => `${file}: ${by.join('; ')}`);
    expect(missing).toEqual([]);
  });

  test('have no exception that they do not need', () => {
    const needless = Object.keys(exceptions).filter(
      (name) => !unnamed().some(({ file }) => new Path(name).covers(file)),
    );
    expect(needless).toEqual([]);
  });
});

test('each example is found', () => {
  const unfound = howTos.flatMap(({ examples }) =>
    Object.entries(examples).flatMap(([example, patterns]) =>
      patterns
        .filter((pattern) => !sources.some(({ text }) => pattern.test(text)))
        .map((pattern) => `${example}: ${pattern.source}`),
    ),
  );
  expect(unfound).toEqual([]);
});

test('every file and folder that the page speaks of is there, and every command', async () => {
  const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const [guide] = page.split('\n## How to');
  const named = [...guide!.matchAll(/`([a-z][\w.*-]*\/[\w./*-]*)`/g)].map(([, name]) => name!);
  const isThere = (name: string): boolean => files.some((file) => new Path(name).covers(file));
  const missing = named.filter((name) => !isThere(name) && !isThere(`${name}/`));
  expect(missing).toEqual([]);
  const commands = [...page.matchAll(/npm run ([\w:-]+)/g)].map(([, script]) => script!);
  expect(commands.filter((script) => !Object.hasOwn(manifest.scripts, script))).toEqual([]);
});
