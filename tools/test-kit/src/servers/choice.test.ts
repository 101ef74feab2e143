import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { chooseInfrastructure } from './choice.ts';
import { images } from './images.ts';

const addresses = { NATS_URL: 'nats://a', REDIS_URL: 'redis://b', DATABASE_URL: 'postgres://c' };

test('addresses that are given come first', async () => {
  expect(await chooseInfrastructure(addresses)).toMatchObject({ infrastructure: 'environment' });
});

test('what was passed over, and why, is in the line', async () => {
  const { infrastructure, line } = await chooseInfrastructure({ ...addresses, REDIS_URL: '' });
  expect(infrastructure).toBe('local-stack');
  expect(line).toBe(
    'Test servers: processes of their own, by local-stack ' +
      '(no REDIS_URL given; Docker only with PARLEY_TEST_INFRASTRUCTURE=docker).',
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
