import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { program } from './run-parley.ts';

const run = promisify(execFile);

/** Asks bash what it would offer, with our completion script in force. */
export class ShellCompletion {
  readonly #script: string;
  readonly #folder: string;

  /** @param folder Gets a `parley` command, and the script. */
  constructor(script: string, folder: string) {
    this.#script = script;
    this.#folder = join(folder, 'bin');
  }

  async install(): Promise<void> {
    await mkdir(this.#folder);
    const command = join(this.#folder, 'parley');
    await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
    await chmod(command, 0o755);
    await writeFile(join(this.#folder, 'completion.bash'), this.#script);
  }

  /** What is offered for the last of the words. */
  async complete(...words: string[]): Promise<string[]> {
    const asks = [
      'source "$FOLDER/completion.bash"',
      'COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))',
      'function_name=$(complete -p parley | sed "s/.*-F \\([^ ]*\\).*/\\1/")',
      'cur="${COMP_WORDS[COMP_CWORD]}"; "$function_name" parley "$cur"',
      'printf "%s\\n" "${COMPREPLY[@]}"',
    ].join('\n');
    const env = { ...process.env, FOLDER: this.#folder, PATH: `${this.#folder}:${process.env.PATH ?? ''}` };
    const { stdout } = await run('bash', ['-c', asks, 'bash', ...words], { env });
    return stdout.split('\n').filter((line) => line !== '');
  }
}
