import { execFile } from 'node:child_process';
import { findPrograms } from '@parley/local-stack';

/** Debian and Homebrew have both in one package. */
const programs = ['promtool', 'prometheus'] as const;

/** Why there is no Prometheus here; undefined where there is one, if need be after it was installed. */
export async function prometheusObstacle(): Promise<string | undefined> {
  return findPrometheus().then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  );
}

/** Runs `promtool` with these arguments: what it prints, and whether it was content. */
export async function promtool(...args: string[]): Promise<{ isContent: boolean; output: string }> {
  const { promtool: path } = await findPrometheus();
  return new Promise((resolve) => {
    execFile(path, args, (error, stdout, stderr) => {
      resolve({ isContent: error === null, output: stdout + stderr });
    });
  });
}

/** The paths of its programs. */
export function findPrometheus(): Promise<Record<(typeof programs)[number], string>> {
  return findPrograms(programs, (line) => {
    process.stdout.write(`${line}\n`);
  });
}
