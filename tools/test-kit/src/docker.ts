import { execFile, spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);
const answerMs = 10_000;

/**
 * Why containers of these images can't be run here; undefined where they can. Nothing is ever pulled for a test: what it
 * runs on should not depend on the network, nor take minutes the first time.
 */
export async function dockerObstacle(
  images: readonly string[],
  environment = process.env,
): Promise<string | undefined> {
  const succeeds = succeedsIn(environment);
  if (!(await succeeds('version'))) return 'Docker does not answer';
  const present = await Promise.all(images.map((image) => succeeds('image', 'inspect', image)));
  const missing = images.filter((_, index) => !present[index]);
  return missing.length === 0 ? undefined : `Docker has no image ${missing.join(', ')} (docker pull gets it)`;
}

/** Tells testcontainers what it can't find out here. Before the first container is started. */
export function prepareTestcontainers(): void {
  // Containers are removed by who starts them; what testcontainers would start to do so is one more image to have.
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true';
  // Inside of a container it looks for Docker's ports outside of it, though Docker may run in there, too.
  const { stdout } = spawnSync('docker', ['info', '--format', '{{.Name}}'], { encoding: 'utf8' });
  if (stdout.trim() === hostname()) process.env.TESTCONTAINERS_HOST_OVERRIDE ??= '127.0.0.1';
}

function succeedsIn(env: NodeJS.ProcessEnv) {
  return async (...command: string[]): Promise<boolean> => {
    try {
      await run('docker', command, { timeout: answerMs, env });
      return true;
    } catch {
      return false;
    }
  };
}
