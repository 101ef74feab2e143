/** A Kubernetes object as its YAML has it; the schemas say what it may hold. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  [field: string]: any;
}

export type Labels = Record<string, string>;

/** A Deployment or StatefulSet. */
export type Workload = KubernetesObject;

export function workloadsOf(objects: readonly KubernetesObject[]): Workload[] {
  return objects.filter(({ kind }) => ['Deployment', 'StatefulSet'].includes(kind));
}

/** @throws Error where it is missing. */
export function getObject(
  objects: readonly KubernetesObject[],
  kind: string,
  name: string,
): KubernetesObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

/** The objects of one kind. */
export function ofKind(objects: readonly KubernetesObject[], kind: string): KubernetesObject[] {
  return objects.filter((object) => object.kind === kind);
}

export function podLabels({ spec }: Workload): Labels {
  return spec.template.metadata.labels as Labels;
}

/** The only container of the workload's pods. */
export function containerOf({ metadata, spec }: Workload): any {
  const { containers, initContainers = [] } = spec.template.spec;
  if ([...containers, ...initContainers].length !== 1)
    throw new Error(`${metadata.name}: one container each`);
  return containers[0];
}

/** Whether a label selector (`matchLabels` and `In` expressions, which is all we use) takes those labels. */
export function isSelected(selector: any, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [], ...others } = selector;
  if (Object.keys(others).length > 0) throw new Error(`unknown selector ${JSON.stringify(selector)}`);
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }: any) => {
      if (operator !== 'In') throw new Error(`unknown operator ${operator as string}`);
      return values.includes(labels[key]);
    })
  );
}
