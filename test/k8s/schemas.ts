import type { KubernetesObject } from './objects.ts';

/** A check as `kubernetes-models` compiles it from Kubernetes' OpenAPI document. */
interface Check {
  (value: unknown): boolean;
  errors?: { instancePath: string; message?: string; keyword: string; params: object }[] | null;
}

/**
 * What is wrong with the object by Kubernetes' schemas, a line each.
 * Their checks let unknown fields pass, and Kubernetes would ignore them, which is what becomes of a typing error. As a check
 * looks at every field that it knows, a field that it did not look at is one that Kubernetes does not know.
 */
export async function problemsOf(object: KubernetesObject): Promise<string[]> {
  const check = await checkFor(object);
  const unseen = new Set<string>();
  const isValid = check(watched(object, '', unseen));
  if (!isValid) {
    return (check.errors ?? []).map(
      ({ instancePath, keyword, params }) => `${instancePath}: ${keyword} ${JSON.stringify(params)}`,
    );
  }
  return [...unseen].map((path) => `${path}: unknown field`);
}

async function checkFor({ apiVersion, kind }: KubernetesObject): Promise<Check> {
  const [version = '', group = 'core'] = apiVersion.split('/').reverse();
  const schema = `IoK8sApi${capital(group.split('.')[0]!)}${capital(version)}${kind}`;
  const { validate } = (await import(`kubernetes-models/_schemas/${schema}`)) as { validate: Check };
  return validate;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** The value, so that the paths of fields that nobody reads stay in the set. */
function watched(value: unknown, path: string, unseen: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const copy = Array.isArray(value) ? [] : {};
  for (const [name, field] of Object.entries(value)) {
    const fieldPath = `${path}/${name}`;
    unseen.add(fieldPath);
    let seen: { field: unknown } | undefined;
    Object.defineProperty(copy, name, {
      enumerable: true,
      get: () => {
        unseen.delete(fieldPath);
        // Made at the first reading, so that of an unknown field its own path is told and not what it holds.
        return (seen ??= { field: watched(field, fieldPath, unseen) }).field;
      },
    });
  }
  return copy;
}
