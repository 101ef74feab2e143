import { commonSettings } from '@parley/service-kit';
import type { Setting, Settings } from '@parley/service-kit';
import { settings as auth } from '../../services/auth/src/settings.ts';
import { settings as files } from '../../services/files/src/settings.ts';
import { settings as gateway } from '../../services/gateway/src/settings.ts';
import { settings as messages } from '../../services/messages/src/settings.ts';
import { settings as rooms } from '../../services/rooms/src/settings.ts';
import { containerOf, getObject } from './objects.ts';
import type { KubernetesObject, Workload } from './objects.ts';

const own: Record<string, Settings> = { gateway, auth, rooms, messages, files };

export const serviceNames = Object.keys(own);

/** What the service reads. */
export function settingsOf(service: string): Record<string, Setting<unknown>> {
  return { ...own[service], ...commonSettings };
}

/** What stands for the values of Secrets that are not kept in this repository: each Secret is somebody's of the servers. */
const secretSamples: Record<string, (user: string) => string> = {
  DATABASE_URL: (user) => `postgres://${user}:secret@db.example.org:5432/parley`,
  DATABASE_OWNER_URL: (user) => `postgres://${user}-owner:secret@db.example.org:5432/parley`,
  REDIS_URL: (user) => `rediss://${user}:secret@redis.example.org:6379`,
};

/** The container's environment as Kubernetes makes it: of ConfigMaps, Secrets, values and references to earlier variables. */
export function environmentOf(
  objects: readonly KubernetesObject[],
  workload: Workload,
): Record<string, string> {
  const { envFrom = [], env = [] } = containerOf(workload);
  const environment: Record<string, string> = {};
  for (const { configMapRef } of envFrom) {
    Object.assign(environment, getObject(objects, 'ConfigMap', configMapRef.name).data);
  }
  for (const { name, value, valueFrom } of env) {
    environment[name] = valueFrom
      ? secretValue(objects, valueFrom.secretKeyRef)
      : expanded(value, environment);
  }
  return environment;
}

function secretValue(
  objects: readonly KubernetesObject[],
  { name, key }: { name: string; key: string },
): string {
  const secret = objects.find((object) => object.kind === 'Secret' && object.metadata.name === name);
  if (!secret) return secretSamples[key]?.(name) ?? 'secret';
  const value = secret.data[key] as string | undefined;
  if (value === undefined) throw new Error(`the Secret ${name} has no ${key}`);
  return Buffer.from(value, 'base64').toString();
}

/** @throws Error where a variable is referred to that does not come before: Kubernetes would leave the reference as it is. */
function expanded(value: string, environment: Record<string, string>): string {
  return value.replaceAll(/\$\((\w+)\)/g, (reference, name: string) => {
    const known = environment[name];
    if (known === undefined) throw new Error(`${reference} is not known yet`);
    return known;
  });
}

/** The variables that only serve others, as `$(NAME)`. */
export function referredTo(workload: Workload): string[] {
  const { env = [] } = containerOf(workload);
  return env.flatMap(({ value = '' }: { value?: string }) =>
    [...value.matchAll(/\$\((\w+)\)/g)].map(([, name]) => name!),
  );
}
