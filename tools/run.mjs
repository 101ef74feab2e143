/**
 * `npm start`, `npm test` and the rest: installs what is missing, then runs the task with the project's own Node.
 * Plain JavaScript, as it runs with whatever Node (20 or newer) the machine has.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { fileURLToPath } from 'node:url';

const oldestNode = 20;
const pnpm = 'pnpm@10.34.9';
/** For what the other has not: `sbom` is new in 11, and what 10 asks for known holes is not answered any more by npm's registry. */
const newerPnpm = 'pnpm@11.28.11';
/** Between npm and us: npm's own, and the one that node_modules/.bin/node is. */
const mostShells = 2;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stamp = join(modules, '.parley-installed');

const terminalClient = 'apps/cli/src/main.ts';

/** Lists of steps that go on beside each other: ESLint takes as long as all others. */
const checks = {
  atOnce: [
    [['eslint', '.']],
    [
      ['prettier', '--check', '--log-level=warn', '.'],
      ['typescript/tsc', '-p', 'tsconfig.json'],
      ['typescript/tsc', '-p', 'apps/web'],
    ],
  ],
};

/** Builds the web client where it is not built from what is there. */
const buildWeb = ['apps/web/build.mjs'];

/** What we deliver, and what it is made of; neither the tests nor the bench. */
const delivered = ['{./services/*}...', '@parley/web...', '@parley/cli...'].map(
  (name) => `--filter-prod=${name}`,
);

/** Each task is a list of steps; a step is a script of ours, `package[/program]` of a dependency or pnpm, with its arguments. */
const tasks = {
  start: (args) => [buildWeb, ['tools/local-stack/src/main.ts', ...args]],
  test: (args) => [...(args.length === 0 ? [checks] : []), buildWeb, ['jest', ...args]],
  'test:compose': (args) => [['jest', 'test/compose', ...args, '--testPathIgnorePatterns=/node_modules/']],
  'test:bench': (args) => [
    ['jest', 'bench/src/scenarios/scenarios', ...args, '--testPathIgnorePatterns=/node_modules/'],
  ],
  'test:faults': (args) => [['test/faults/main.ts', ...args]],
  conformance: (args) => [['tools/conformance/src/main.ts', ...args]],
  'faulty-server': (args) => [['tools/faulty-server/src/main.ts', ...args]],
  'test:fuzz': (args) => [['test/fuzz/main.ts', ...args]],
  audit: (args) => [[newerPnpm, 'audit', '--prod', ...args]],
  sbom: (args) => [
    [
      newerPnpm,
      'sbom',
      ...['--sbom-format=cyclonedx', '--sbom-type=application', '--prod', '--lockfile-only'],
      ...[...delivered, '--out=sbom/parley.cdx.json'],
      ...args,
    ],
  ],
  'image-sizes': () => [['tools/image-sizes.mjs']],
  docs: () => [['tools/protocol-docs/main.ts']],
  check: () => [checks],
  format: () => [['prettier', '--write', '--log-level=warn', '.']],
  example: (args) => [['examples/talk.ts', ...args]],
  parley: (args) => [[terminalClient, ...args]],
  bench: (args) => [['bench/src/main.ts', ...args]],
};

process.exitCode = await main(process.argv[2] ?? '', process.argv.slice(3));

async function main(name, args) {
  if (Number(process.versions.node.split('.')[0]) < oldestNode) {
    return fail(
      `Parley needs Node ${oldestNode} or newer to start (it brings its own from there); this is ${process.version}.`,
    );
  }
  const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined;
  if (!task) return fail(`Usage: npm start, or npm run ${Object.keys(tasks).join(' | ')}`);
  if (!install()) return 1;
  return runAll(task(args));
}

/** Runs steps one after the other, until one fails; resolves with its exit code, or 0. */
async function runAll(steps) {
  for (const step of steps) {
    const code = step.atOnce ? Math.max(...(await Promise.all(step.atOnce.map(runAll)))) : await run(step);
    if (code !== 0) return code;
  }
  return 0;
}

/** Installs the dependencies unless they are what the lockfile and the packages ask for; false when it could not. */
function install() {
  const wanted = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return true;
  console.log('Installing dependencies ...');
  const { status, error, stdout, stderr } = spawnSync(
    'npx',
    ['--yes', pnpm, 'install', '--frozen-lockfile'],
    {
      cwd: root,
      encoding: 'utf8',
      // Without a terminal pnpm would refuse to replace a node_modules of another kind; CI=1 lets it.
      env: { ...process.env, CI: '1' },
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  if (status === 0) {
    writeFileSync(stamp, wanted);
    return true;
  }
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  fail(
    `The dependencies could not be installed (npx ${pnpm}: ${error?.message ?? `code ${status}`}); see above.`,
  );
  return false;
}

function fingerprint() {
  const hash = createHash('sha256');
  const files = [
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'package.json',
    ...workspacePackages(),
    ...joined(),
  ];
  for (const file of files) {
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(root, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

/** What an installation joins into `packages/schema/dist`, and how. */
function joined() {
  return ['packages/schema/build.mjs', ...entriesOf('packages/schema/src')];
}

/** The package.json of each workspace package, as pnpm-workspace.yaml names their folders: `name` or `name/*`. */
function workspacePackages() {
  const patterns = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8').matchAll(
    /^ *- ([\w-]+)(\/\*)?$/gm,
  );
  const folders = [...patterns].flatMap(([, folder, all]) => (all ? entriesOf(folder) : [folder]));
  return folders.map((folder) => `${folder}/package.json`).filter((file) => existsSync(join(root, file)));
}

function entriesOf(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder))
    .sort()
    .map((name) => `${folder}/${name}`);
}

/** Runs one step with the project's Node; resolves with its exit code. */
function run([program, ...args]) {
  const nodeBin = join(modules, 'node', 'bin');
  // Not node_modules/.bin/node: that is a shell around Node, and a signal for the shell does not reach Node.
  const node = [join(nodeBin, 'node'), '--disable-warning=ExperimentalWarning'];
  const command =
    program === newerPnpm ? ['npx', '--yes', program, ...args] : [...node, scriptOf(program), ...args];
  const [file, ...rest] = canTie() ? ['setpriv', '--pdeathsig', 'SIGTERM', '--', ...command] : command;
  const child = spawn(file, rest, {
    // Paths of files are meant from where it was typed.
    cwd: program === terminalClient ? (process.env.INIT_CWD ?? root) : root,
    stdio: 'inherit',
    env: {
      ...process.env,
      PATH: [nodeBin, join(modules, '.bin'), process.env.PATH].join(delimiter),
      // Every process below starts in about two thirds of the time when Node keeps what it made of each file.
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(modules, '.cache', 'node'),
      ...(program === 'jest' && { NODE_OPTIONS: nodeOptionsWith('--experimental-vm-modules') }),
    },
  });
  const stopWatching = [forwardSignals(child), watchNpm(child)];
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(fail(`${program} could not be started: ${error.message}`)));
    child.once('exit', (code, signal) => {
      for (const stop of stopWatching) stop();
      resolve(signal ? 128 + constants.signals[signal] : code);
    });
  });
}

/** Whether the child can be told to end when we are killed without a chance to say so (Linux only). */
function canTie() {
  return process.platform === 'linux' && spawnSync('setpriv', ['--version']).status === 0;
}

/** Ours, or that behind `package[/program]`, as the package's own package.json has it. */
function scriptOf(program) {
  if (/\.(ts|mjs)$/.test(program)) return join(root, program);
  const [name, bin = name] = program.split('/');
  const manifest = join(modules, name, 'package.json');
  const { bin: bins } = createRequire(import.meta.url)(manifest);
  return join(dirname(manifest), typeof bins === 'string' ? bins : bins[bin]);
}

function nodeOptionsWith(option) {
  return [process.env.NODE_OPTIONS, option].filter(Boolean).join(' ');
}

/** Our signals are the child's. Ctrl-C in a terminal it gets from there, as all of the foreground do: once is enough. */
function forwardSignals(child) {
  const onSignal = (signal) => {
    const fromTerminal = signal === 'SIGINT' && (process.stdin.isTTY || process.stdout.isTTY);
    if (!fromTerminal) child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, onSignal);
  return () => signals.forEach((signal) => process.off(signal, onSignal));
}

/**
 * npm runs us through shells, which pass no signal on and outlive a killed npm: when one of them is gone, the child is asked
 * to end. A parent is known to be gone by its child having another one.
 */
function watchNpm(child) {
  const line = lineToNpm();
  const timer = setInterval(() => {
    if (line.every((pid, index) => index === 0 || parentOf(line[index - 1]) === pid)) return;
    clearInterval(timer);
    child.kill('SIGTERM');
  }, 500);
  return () => clearInterval(timer);
}

/** Ourselves, our parent and so on up to npm; just ourselves when npm is not near or the system does not say (not Linux). */
function lineToNpm() {
  const line = [process.pid];
  while (line.length <= mostShells + 1) {
    const parent = parentOf(line.at(-1));
    line.push(parent);
    if (readProc(parent, 'comm').startsWith('npm')) return line;
  }
  return [process.pid];
}

/** NaN where the system does not say. */
function parentOf(pid) {
  const stat = readProc(pid, 'stat');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function readProc(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function fail(line) {
  console.error(line);
  return 1;
}
