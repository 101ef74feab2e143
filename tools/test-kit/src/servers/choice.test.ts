import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { dockerObstacle } from '../docker.ts';
import { chooseInfrastructure } from './choice.ts';
import { images } from './images.ts';

const addresses = { NATS_URL: 'nats://a', REDIS_URL: 'redis://b', DATABASE_URL: 'postgres://c' };

test('addresses that are given come first', async () => {
  expect(await chooseInfrastructure(addresses)).toMatchObject({ infrastructure: 'environment' });
});

test('Docker comes next, then local-stack; what was passed over, and why, is in the line', async () => {
  const obstacle = await dockerObstacle(Object.values(images));
  expect(await chooseInfrastructure({ ...process.env, ...addresses, REDIS_URL: '' })).toEqual(
    obstacle === undefined
      ? {
          infrastructure: 'docker',
          line: 'Test servers: containers, by testcontainers (no REDIS_URL given).',
        }
      : {
          infrastructure: 'local-stack',
          line: `Test servers: processes of their own, by local-stack (no REDIS_URL given; ${obstacle}).`,
        },
  );
});

test('without a Docker, what is missing is said', async () => {
  expect(await chooseInfrastructure({ PATH: process.env.PATH, DOCKER_HOST: 'unix:///nowhere.sock' })).toEqual(
    {
      infrastructure: 'local-stack',
      line:
        'Test servers: processes of their own, by local-stack ' +
        '(no NATS_URL, REDIS_URL, DATABASE_URL given; Docker does not answer).',
    },
  );
});

test('what is wanted is taken, though something else would come first', async () => {
  const environment = { ...addresses, PARLEY_TEST_INFRASTRUCTURE: 'local-stack' };
  expect(await chooseInfrastructure(environment)).toEqual({
    infrastructure: 'local-stack',
    line: 'Test servers: processes of their own, by local-stack.',
  });
});

test('what is wanted and is not there is an error that says what is missing', async () => {
  await expect(chooseInfrastructure({ PARLEY_TEST_INFRASTRUCTURE: 'environment' })).rejects.toThrow(
    'PARLEY_TEST_INFRASTRUCTURE=environment: no NATS_URL, REDIS_URL, DATABASE_URL given',
  );
  await expect(chooseInfrastructure({ PARLEY_TEST_INFRASTRUCTURE: 'podman' })).rejects.toThrow(
    "PARLEY_TEST_INFRASTRUCTURE: expected one of environment, docker, local-stack, got 'podman'",
  );
});

test.each(Object.values(images))('%s is what docker-compose.yml runs', async (image) => {
  const compose = await readFile(new URL('../../../../docker-compose.yml', import.meta.url), 'utf8');
  expect(compose).toContain(`image: ${image}\n`);
});
