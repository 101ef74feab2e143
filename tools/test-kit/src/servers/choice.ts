import { dockerObstacle } from '../docker.ts';
import { images } from './images.ts';

const names = ['environment', 'docker', 'local-stack'] as const;
export type Infrastructure = (typeof names)[number];

const addressSettings = ['NATS_URL', 'REDIS_URL', 'DATABASE_URL'] as const;

export interface Choice {
  infrastructure: Infrastructure;
  /** For people, in one line. */
  line: string;
}

/**
 * What the tests of this run have their servers from: the first that is there, or what `PARLEY_TEST_INFRASTRUCTURE` says.
 * @throws Error in one line where that can't be.
 */
export async function chooseInfrastructure(environment: NodeJS.ProcessEnv): Promise<Choice> {
  const wanted = environment.PARLEY_TEST_INFRASTRUCTURE ?? '';
  if (wanted !== '' && !names.some((name) => name === wanted)) {
    throw new Error(`PARLEY_TEST_INFRASTRUCTURE: expected one of ${names.join(', ')}, got '${wanted}'`);
  }
  const reasons: string[] = [];
  for (const infrastructure of names) {
    if (wanted !== '' && wanted !== infrastructure) continue;
    const obstacle = await obstacles[infrastructure](environment);
    if (obstacle === undefined) {
      const because = reasons.length > 0 ? ` (${reasons.join('; ')})` : '';
      return { infrastructure, line: `Test servers: ${descriptions[infrastructure]}${because}.` };
    }
    reasons.push(obstacle);
  }
  throw new Error(`PARLEY_TEST_INFRASTRUCTURE=${wanted}: ${reasons.join('; ')}`);
}

const descriptions: Record<Infrastructure, string> = {
  environment: `those at ${addressSettings.join(', ')}`,
  docker: 'containers, by testcontainers',
  'local-stack': 'processes of their own, by local-stack',
};

const obstacles: Record<
  Infrastructure,
  (environment: NodeJS.ProcessEnv) => Promise<string | undefined> | undefined
> = {
  environment: (environment) => {
    const missing = addressSettings.filter((setting) => !environment[setting]);
    return missing.length === 0 ? undefined : Promise.resolve(`no ${missing.join(', ')} given`);
  },
  docker: (environment) => dockerObstacle(Object.values(images), environment),
  'local-stack': () => undefined,
};
