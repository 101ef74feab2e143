import { spawnSync } from 'node:child_process';
import { cpSync, copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import type { KubernetesObject } from './objects.ts';

const folder = fileURLToPath(new URL('../../k8s', import.meta.url));
const commands = [
  ['kustomize', 'build'],
  ['kubectl', 'kustomize'],
];

/** What builds an overlay on this machine: kustomize, or the one in kubectl; `undefined` where neither is installed. */
export function findKustomize(): string[] | undefined {
  return commands.find(([program]) => spawnSync(program!, ['version', '--client']).error === undefined);
}

/**
 * Builds an overlay as its readers would, with the example's secrets where they would have put theirs.
 * @throws Error with kustomize's own words.
 */
export function buildOverlay([program, ...args]: readonly string[], overlay: string): KubernetesObject[] {
  const copy = mkdtempSync(join(tmpdir(), 'parley-k8s-'));
  try {
    cpSync(folder, copy, { recursive: true });
    const path = join(copy, 'overlays', overlay);
    const example = join(path, 'secrets.env.example');
    if (existsSync(example)) copyFileSync(example, join(path, 'secrets.env'));
    const { status, stdout, stderr } = spawnSync(program!, [...args, path], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${overlay}: ${stderr}`);
    return objectsIn(stdout);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** The files that hold whole objects, as they are: what kustomizations list as resources. */
export function resourceFiles(): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('kustomization.yaml'))
    .flatMap((file) => {
      const { resources = [] } = parse(readFileSync(join(folder, file), 'utf8')) as { resources?: string[] };
      return resources.filter((name) => name.endsWith('.yaml')).map((name) => join(file, '..', name));
    })
    .sort();
}

/** @param file As `resourceFiles` has it. */
export function readObjects(file: string): KubernetesObject[] {
  return objectsIn(readFileSync(join(folder, file), 'utf8'));
}

function objectsIn(yaml: string): KubernetesObject[] {
  return parseAllDocuments(yaml, { merge: true }).map((document) => {
    if ('errors' in document && document.errors[0]) throw document.errors[0];
    return document.toJS() as KubernetesObject;
  });
}
