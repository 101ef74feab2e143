import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { inTime } from '@parley/test-kit';

const program = fileURLToPath(new URL('../main.ts', import.meta.url));

/** What the operator sees. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** How an operator runs `parley admin` with the Parley of a test. */
export class Operator {
  readonly #environment: NodeJS.ProcessEnv;

  constructor(natsUrl: string) {
    this.#environment = { ...process.env, NATS_URL: natsUrl, NO_COLOR: '1' };
  }

  /** Without a terminal. @param stdin What comes on stdin. */
  async run(args: readonly string[], stdin = ''): Promise<Outcome> {
    const child = spawn(process.execPath, [program, 'admin', ...args], { env: this.#environment });
    child.stdin.on('error', () => {
      // It has ended without reading everything.
    });
    child.stdin.end(stdin);
    const [stdout, stderr, code] = await inTime(
      'the command to end',
      Promise.all([text(child.stdout), text(child.stderr), exitCodeOf(child)]),
    );
    return { code, stdout, stderr };
  }

  /** The values that the command writes with `--json`. @throws Error where it fails. */
  async json<Value extends object>(...args: string[]): Promise<Value[]> {
    const { code, stdout, stderr } = await this.run([...args, '--json']);
    if (code !== 0) throw new Error(stderr);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Value);
  }

  /**
   * At a terminal of its own, that of `script`.
   * @param dialogue What to type, each once the question before it is there.
   * @returns All that the terminal showed, and the exit code.
   */
  async type(args: readonly string[], dialogue: readonly [question: string, answer: string][]) {
    const command = [process.execPath, program, 'admin', ...args].map(quoted).join(' ');
    const child = spawn('script', ['-qec', command, '/dev/null'], { env: this.#environment });
    let shown = '';
    let seen = 0;
    const questions = [...dialogue];
    child.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
      const [question, answer] = questions[0] ?? [];
      const at = question === undefined ? -1 : shown.indexOf(question, seen);
      if (at === -1) return;
      seen = at + question!.length;
      questions.shift();
      child.stdin.write(`${answer!}\r`);
    });
    const code = await inTime('the command to end', exitCodeOf(child));
    return { code, shown };
  }
}

/** Resolves once the process has ended and all it wrote is read. */
async function exitCodeOf(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, 'close')) as [number];
  return code;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
