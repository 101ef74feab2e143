import { containerOf, isSelected, ofKind, podLabels, workloadsOf } from './objects.ts';
import type { KubernetesObject, Labels, Workload } from './objects.ts';

/** What a policy may let through on the other side: a workload's name, or what is outside. */
type Peer = { workload: Workload } | { outside: string };

/** Whose pods a peer is, in one word. */
function nameOf(peer: Peer): string {
  return 'workload' in peer ? peer.workload.metadata.name : peer.outside;
}

/**
 * Every connection that the NetworkPolicies let through, as `from -> to:port`. Between two workloads both sides have to allow
 * it; what is outside of the namespace is called by its namespace or its addresses.
 */
export function allowedConnections(objects: readonly KubernetesObject[]): string[] {
  const workloads = workloadsOf(objects);
  const policies = ofKind(objects, 'NetworkPolicy');
  const outgoing = workloads.flatMap((from) => rulesFor('egress', from, policies, workloads));
  const incoming = workloads.flatMap((to) => rulesFor('ingress', to, policies, workloads));
  const lines = new Set<string>();
  for (const { own: from, peer: to, port } of outgoing) {
    const needsBoth = 'workload' in to;
    const isLetIn = incoming.some(
      (rule) =>
        needsBoth &&
        rule.own === to.workload &&
        nameOf(rule.peer) === from.metadata.name &&
        rule.port === port,
    );
    if (!needsBoth || isLetIn) lines.add(`${from.metadata.name} -> ${nameOf(to)}:${port}`);
  }
  for (const { own: to, peer: from, port } of incoming) {
    if ('outside' in from) lines.add(`${from.outside} -> ${to.metadata.name}:${port}`);
  }
  return [...lines].sort();
}

interface Rule {
  own: Workload;
  peer: Peer;
  port: number;
}

function rulesFor(
  direction: 'ingress' | 'egress',
  own: Workload,
  policies: readonly KubernetesObject[],
  workloads: readonly Workload[],
): Rule[] {
  const side = direction === 'ingress' ? 'from' : 'to';
  return policies
    .filter(({ spec }) => isSelected(spec.podSelector, podLabels(own)))
    .flatMap(({ spec }) => (spec[direction] ?? []) as any[])
    .flatMap((rule) =>
      rule[side].flatMap((peer: any) =>
        peersOf(peer, workloads).flatMap((known) =>
          rule.ports.map(({ port }: any) => ({
            own,
            peer: known,
            port: portNumber(
              port,
              direction === 'ingress' ? own : 'workload' in known ? known.workload : undefined,
            ),
          })),
        ),
      ),
    );
}

/** @throws Error where it names labels that no pod has. */
function peersOf({ podSelector, namespaceSelector, ipBlock }: any, workloads: readonly Workload[]): Peer[] {
  if (ipBlock) return [{ outside: ipBlock.cidr }];
  if (namespaceSelector) {
    return [{ outside: (namespaceSelector.matchLabels as Labels)['kubernetes.io/metadata.name']! }];
  }
  const found = workloads.filter((workload) => isSelected(podSelector, podLabels(workload)));
  if (found.length === 0) throw new Error(`no pod is ${JSON.stringify(podSelector)}`);
  return found.map((workload) => ({ workload }));
}

function portNumber(port: number | string, listener: Workload | undefined): number {
  if (typeof port === 'number') return port;
  const named = listener && containerOf(listener).ports.find(({ name }: any) => name === port);
  if (!named) throw new Error(`there is no port ${port}`);
  return named.containerPort as number;
}
