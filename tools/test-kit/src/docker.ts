import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const answerMs = 10_000;

/**
 * Why containers of these images can't be run here; undefined where they can. Nothing is ever pulled for a test: what it
 * runs on should not depend on the network, nor take minutes the first time.
 */
export async function dockerObstacle(images: readonly string[]): Promise<string | undefined> {
  if (!(await succeeds('version'))) return 'Docker does not answer';
  const present = await Promise.all(images.map((image) => succeeds('image', 'inspect', image)));
  const missing = images.filter((_, index) => !present[index]);
  return missing.length === 0 ? undefined : `Docker has no image ${missing.join(', ')} (docker pull gets it)`;
}

async function succeeds(...command: string[]): Promise<boolean> {
  try {
    await run('docker', command, { timeout: answerMs });
    return true;
  } catch {
    return false;
  }
}
