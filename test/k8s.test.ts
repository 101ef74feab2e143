import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { nodeOptions } from '@parley/local-stack';
import { metrics, readSettings } from '@parley/service-kit';
import { parse } from 'yaml';
import '../services/gateway/src/metrics.ts';
import { environmentOf, referredTo, serviceNames, settingsOf } from './k8s/environment.ts';
import { buildOverlay, findKustomize, readObjects, resourceFiles } from './k8s/kustomize.ts';
import { findNatsServer, testNatsConfiguration, variablesOf } from './k8s/nats.ts';
import { allowedConnections } from './k8s/network.ts';
import { containerOf, getObject, isSelected, ofKind, podLabels, workloadsOf } from './k8s/objects.ts';
import type { KubernetesObject } from './k8s/objects.ts';
import { problemsOf } from './k8s/schemas.ts';

/** Beyond DRAIN_MS a process ends by itself after this time, in ms: `exitGraceMs` of run-service.ts. */
const exitGraceMs = 5_000;

/** What Node itself reads. */
const runtimeVariables = ['NODE_OPTIONS'];

describe('the check against the schemas', () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'gateway' },
    spec: { selector: {}, ports: [{ port: 20200 }] },
  };

  test('takes what is right', async () => {
    expect(await problemsOf(service)).toEqual([]);
  });

  test('sees what has the wrong type', async () => {
    expect(await problemsOf({ ...service, spec: { ports: [{ port: 'http' }] } })).toEqual([
      expect.stringContaining('/spec/ports/0/port'),
    ]);
  });

  test('sees what is misspelled, at any depth', async () => {
    expect(await problemsOf({ ...service, spec: { ports: [{ port: 1, targetport: 2 }] } })).toEqual([
      '/spec/ports/0/targetport: unknown field',
    ]);
  });
});

test('every file of k8s/ is as the schemas of Kubernetes say', async () => {
  const files = resourceFiles();
  expect(files.length).toBeGreaterThan(40);
  for (const file of files) {
    for (const object of readObjects(file)) {
      expect({ file, problems: await problemsOf(object) }).toEqual({ file, problems: [] });
    }
  }
});

test.each(['nats/users.conf', 'postgres/roles.sql', 'redis/users.acl', 'redis/start.sh'])(
  '%s is that of deploy/, which is tested',
  async (file) => {
    const read = (path: string) => readFile(new URL(`../${path}`, import.meta.url), 'utf8');
    expect(await read(`k8s/components/${file}`)).toBe(await read(`deploy/${file}`));
  },
);

test.each(serviceNames)(
  'Node has the same options for %s under `npm start`, in compose and here',
  async (service) => {
    const read = async (path: string): Promise<any> =>
      parse(await readFile(new URL(`../${path}`, import.meta.url), 'utf8'), { merge: true });
    const { environment } = (await read('docker-compose.yml')).services[service];
    const { env } = containerOf(await read(`k8s/base/${service}/deployment.yaml`));
    const here = env.find(({ name }: { name: string }) => name === 'NODE_OPTIONS')?.value;
    expect(here).toBe(nodeOptions[service as keyof typeof nodeOptions]?.join(' '));
    expect(environment.NODE_OPTIONS).toBe(here);
  },
);

const kustomize = findKustomize();
const natsServer = findNatsServer();
if (kustomize) {
  describe.each(['dev', 'production'])('the overlay %s', (name) => {
    overlaySuite(kustomize, name);
  });
  describe('the servers of the overlay dev', () => {
    ownServersSuite(kustomize);
  });
} else
  test.skip('the overlays of k8s/: skipped, because neither kustomize nor kubectl is installed', () => {});

/** What holds of each overlay. */
function overlaySuite(command: readonly string[], overlay: string): void {
  let objects: KubernetesObject[];
  beforeAll(() => {
    objects = buildOverlay(command, overlay);
  });

  test('every object is as the schemas of Kubernetes say, without unknown fields', async () => {
    expect(objects.length).toBeGreaterThan(40);
    for (const object of objects) {
      expect({ name: object.metadata.name, problems: await problemsOf(object) }).toEqual({
        name: object.metadata.name,
        problems: [],
      });
    }
  });

  test('no two objects share a kind and a name, and all are in the namespace', () => {
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names).toEqual([...new Set(names)]);
    const { name } = ofKind(objects, 'Namespace')[0]!.metadata;
    for (const { kind, metadata } of objects) {
      if (kind !== 'Namespace') expect(metadata).toMatchObject({ namespace: name });
    }
  });

  test('every container has probes, limits, a pinned image, and only the rights it needs', () => {
    for (const workload of workloadsOf(objects)) {
      const { spec } = workload.spec.template;
      expect(spec).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: expect.any(Number),
          seccompProfile: { type: 'RuntimeDefault' },
        },
      });
      const container = containerOf(workload);
      expect(container).toMatchObject({
        image: expect.stringMatching(/:[\w.-]*\d/),
        startupProbe: expect.any(Object),
        livenessProbe: expect.any(Object),
        readinessProbe: expect.any(Object),
        resources: {
          requests: { cpu: expect.any(String), memory: expect.any(String) },
          limits: { cpu: expect.any(String), memory: expect.any(String) },
        },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      });
      const volumes = [...(spec.volumes ?? []), ...(workload.spec.volumeClaimTemplates ?? [])].map(
        (volume: any) => volume.name ?? volume.metadata.name,
      );
      for (const { name } of container.volumeMounts ?? []) expect(volumes).toContain(name);
    }
  });

  test("our services are probed at their side port's paths", () => {
    for (const service of serviceNames) {
      const deployment = getObject(objects, 'Deployment', service);
      const { ports, startupProbe, livenessProbe, readinessProbe } = containerOf(deployment);
      const healthPort = settingsOf(service).healthPort!.defaultText;
      expect(ports).toContainEqual({ name: 'side', containerPort: Number(healthPort) });
      expect(environmentOf(objects, deployment)).toMatchObject({ HEALTH_HOST: '0.0.0.0' });
      expect(startupProbe.httpGet).toEqual({ path: '/livez', port: 'side' });
      expect(livenessProbe.httpGet).toEqual({ path: '/livez', port: 'side' });
      expect(readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'side' });
    }
  });

  test('selectors find their pods: of workloads, Services, disruption budgets and spreads', () => {
    const workloads = workloadsOf(objects);
    for (const workload of workloads) {
      const labels = podLabels(workload);
      expect(isSelected(workload.spec.selector, labels)).toBe(true);
      for (const { labelSelector } of workload.spec.template.spec.topologySpreadConstraints ?? []) {
        expect(isSelected(labelSelector, labels)).toBe(true);
      }
    }
    const findOne = (selector: object) => {
      const found = workloads.filter((workload) => isSelected(selector, podLabels(workload)));
      expect(found).toHaveLength(1);
      return found[0]!;
    };
    for (const { spec } of ofKind(objects, 'Service')) {
      const portNames = containerOf(findOne({ matchLabels: spec.selector })).ports.map(
        ({ name }: any) => name,
      );
      for (const { targetPort } of spec.ports) expect(portNames).toContain(targetPort);
    }
    const budgets = ofKind(objects, 'PodDisruptionBudget').map(({ spec }) => findOne(spec.selector));
    expect(budgets.map(({ metadata }) => metadata.name)).toEqual(expect.arrayContaining(serviceNames));
  });

  test('what is referred to by name is there: accounts, settings, Services, autoscaled Deployments', () => {
    for (const { spec } of workloadsOf(objects)) {
      const account = getObject(objects, 'ServiceAccount', spec.template.spec.serviceAccountName);
      expect(account.automountServiceAccountToken).toBe(false);
      if (spec.serviceName) getObject(objects, 'Service', spec.serviceName);
      for (const { configMap } of spec.template.spec.volumes ?? []) {
        if (configMap) getObject(objects, 'ConfigMap', configMap.name);
      }
    }
    for (const { spec } of ofKind(objects, 'HorizontalPodAutoscaler')) {
      const { kind, name } = spec.scaleTargetRef;
      expect(getObject(objects, kind, name).spec.replicas).toBeUndefined();
      for (const { pods } of spec.metrics) {
        if (pods) expect(metrics.getSingleMetric(pods.metric.name)).toBeDefined();
      }
    }
    for (const { spec } of ofKind(objects, 'Ingress')) {
      const { name, port } = spec.rules[0].http.paths[0].backend.service;
      const { ports } = getObject(objects, 'Service', name).spec;
      expect(ports.map((known: any) => known.name)).toContain(port.name);
    }
  });

  test.each(serviceNames)(
    '%s is given all settings that it needs, good ones, and none that it does not know',
    (service) => {
      const deployment = getObject(objects, 'Deployment', service);
      const environment = environmentOf(objects, deployment);
      const settings = settingsOf(service);
      expect(() => readSettings(settings, environment)).not.toThrow();
      const known = Object.values(settings).map(({ variable }) => variable);
      const others = [...runtimeVariables, ...referredTo(deployment)];
      expect([...known, ...others]).toEqual(expect.arrayContaining(Object.keys(environment)));
      // Where it is missing, files would be kept in the pod and go with it.
      if (service === 'files') expect(environment).toHaveProperty('S3_ENDPOINT');
    },
  );

  test('Secrets are here or said to be needed in docs/kubernetes.md', async () => {
    const page = await readFile(new URL('../docs/kubernetes.md', import.meta.url), 'utf8');
    for (const workload of workloadsOf(objects)) {
      for (const { valueFrom } of containerOf(workload).env ?? []) {
        const { name, key } = valueFrom?.secretKeyRef ?? {};
        if (!name) continue;
        const secret = objects.find(({ kind, metadata }) => kind === 'Secret' && metadata.name === name);
        if (secret) expect(secret.data).toHaveProperty(key);
        else
          expect(page).toMatch(
            new RegExp(`create secret generic ${name as string}\\b[^#]*--from-literal=${key as string}=`),
          );
      }
    }
  });

  test.each(serviceNames)('%s has the time to drain before it is killed', (service) => {
    const deployment = getObject(objects, 'Deployment', service);
    const { drainMs } = readSettings(settingsOf(service), environmentOf(objects, deployment));
    const preStopMs = (containerOf(deployment).lifecycle?.preStop.sleep.seconds ?? 0) * 1_000;
    const graceMs = deployment.spec.template.spec.terminationGracePeriodSeconds * 1_000;
    expect(graceMs).toBeGreaterThan(preStopMs + (drainMs as number) + exitGraceMs);
  });

  test('the network lets through what docs/architecture.md draws, and nothing else', () => {
    const users: Record<string, string[]> = {
      'nats:4222': serviceNames,
      'postgres:5432': ['auth', 'rooms', 'messages', 'files'],
      'redis:6379': ['auth', 'rooms'],
      'minio:9000': ['files'],
    };
    const outside: Record<string, string[]> = {
      'postgres:5432': ['10.0.0.0/8:5432', '172.16.0.0/12:5432', '192.168.0.0/16:5432'],
      'redis:6379': ['10.0.0.0/8:6379', '172.16.0.0/12:6379', '192.168.0.0/16:6379'],
      'minio:9000': ['0.0.0.0/0:443'],
    };
    const workloads = workloadsOf(objects).map(({ metadata }) => metadata.name);
    const drawn = Object.entries(users).flatMap(([server, clients]) => {
      const isHere = workloads.includes(server.split(':')[0]!);
      return clients.flatMap((client) =>
        (isHere ? [server] : outside[server]!).map((target) => `${client} -> ${target}`),
      );
    });
    expect(allowedConnections(objects)).toEqual(
      [
        ...drawn,
        ...workloads.map((name) => `${name} -> kube-system:53`),
        ...serviceNames.map((name) => `monitoring -> ${name}:20290`),
        'ingress-nginx -> gateway:20200',
        'nats -> nats:6222',
      ].sort(),
    );
    expect(getObject(objects, 'NetworkPolicy', 'default-deny').spec).toEqual({
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    });
  });

  test('as many chunks are kept as there are NATS servers, which know each other', () => {
    const nats = getObject(objects, 'StatefulSet', 'nats');
    const { chunkReplicas } = readSettings(
      settingsOf('files'),
      environmentOf(objects, getObject(objects, 'Deployment', 'files')),
    );
    expect(chunkReplicas).toBe(nats.spec.replicas);
    const conf = natsConfiguration(objects)['nats.conf']!;
    const routes = [...conf.matchAll(/nats:\/\/(nats-\d+)\.([\w-]+):6222/g)].map(([, pod, service]) => [
      pod,
      service,
    ]);
    const peers = Array.from({ length: nats.spec.replicas }, (_, index) => [
      `nats-${index}`,
      nats.spec.serviceName,
    ]);
    expect(routes).toEqual(peers.length === 1 ? [] : peers);
  });

  test('NATS knows the passwords of all its users, and each service its own', () => {
    const known = containerOf(getObject(objects, 'StatefulSet', 'nats')).env.map(({ name }: any) => name);
    const variables = variablesOf(natsConfiguration(objects));
    expect(variables).toEqual(expect.arrayContaining(['POD_NAME', 'NATS_OPERATOR_PASSWORD']));
    expect(known).toEqual(expect.arrayContaining(variables));
    for (const service of serviceNames) {
      const deployment = getObject(objects, 'Deployment', service);
      const { username, hostname } = new URL(environmentOf(objects, deployment).NATS_URL!);
      expect([username, hostname]).toEqual([service, 'nats']);
      const keys = containerOf(deployment).env.flatMap(
        ({ valueFrom }: any) => valueFrom?.secretKeyRef.key ?? [],
      );
      const ofNats = keys.filter((key: string) => key.startsWith('NATS_'));
      expect(ofNats).toEqual([`NATS_${service.toUpperCase()}_PASSWORD`]);
      expect(variables).toEqual(expect.arrayContaining(ofNats));
    }
  });

  test.each([
    ['Postgres', ['DATABASE_URL', 'DATABASE_OWNER_URL'], 8],
    ['Redis', ['REDIS_URL'], 2],
  ] as const)('no two services are the same user of %s', (_server, variables, count) => {
    const users = serviceNames.flatMap((service) => {
      const environment = environmentOf(objects, getObject(objects, 'Deployment', service));
      return variables.flatMap((variable) => {
        const address = environment[variable];
        return address === undefined ? [] : [new URL(address).username];
      });
    });
    expect(users).not.toContain('');
    expect(users).toHaveLength(count);
    expect(new Set(users).size).toBe(count);
  });

  test('no password is an argument', () => {
    for (const workload of workloadsOf(objects)) {
      const { command = [], args = [] } = containerOf(workload);
      expect([...command, ...args].join(' ')).not.toContain('$(');
    }
  });

  if (natsServer) {
    test('NATS takes its configuration', () => {
      expect(testNatsConfiguration(natsServer, natsConfiguration(objects))).toMatch(/is valid/);
    });
  } else test.skip('the configuration of NATS: skipped, because nats-server is not installed', () => {});
}

/** The files of NATS, by their names. */
function natsConfiguration(objects: readonly KubernetesObject[]): Record<string, string> {
  const { volumes } = getObject(objects, 'StatefulSet', 'nats').spec.template.spec;
  const { configMap } = volumes.find((volume: any) => volume.configMap);
  return getObject(objects, 'ConfigMap', configMap.name).data as Record<string, string>;
}

/** What holds where the servers come with it. */
function ownServersSuite(command: readonly string[]): void {
  let objects: KubernetesObject[];
  beforeAll(() => {
    objects = buildOverlay(command, 'dev');
  });

  test.each([
    ['postgres', 'roles.sql', /^\\getenv \w+ (\w+)$/gm, ['auth', 'rooms', 'messages', 'files']],
    ['redis', 'start.sh', /"\$\{(\w+):\?\}"/g, ['auth', 'rooms', 'operator']],
  ] as const)('%s is given the passwords that %s asks for', (server, file, asked, users) => {
    const workload = getObject(objects, 'StatefulSet', server);
    const { configMap } = workload.spec.template.spec.volumes.find((volume: any) => volume.configMap);
    const text = getObject(objects, 'ConfigMap', configMap.name).data[file] as string;
    const variables = [...text.matchAll(asked)].map(([, name]) => name);
    expect(variables).toEqual(users.map((user) => `${server}_${user}_password`.toUpperCase()));
    const known = containerOf(workload).env.map(({ name }: any) => name);
    expect(known).toEqual(expect.arrayContaining(variables));
  });

  test('Postgres takes the connections of all pods, also while they are replaced', () => {
    const { args } = containerOf(getObject(objects, 'StatefulSet', 'postgres'));
    const most = Number(/max_connections=(\d+)/.exec(args.join(' '))?.[1]);
    const needed = serviceNames
      .map((service) => getObject(objects, 'Deployment', service))
      .map((deployment) => {
        const { DATABASE_URL, DATABASE_CONNECTIONS } = environmentOf(objects, deployment);
        const { replicas = 1, strategy } = deployment.spec;
        const pods = Number(replicas) + Number(strategy.rollingUpdate.maxSurge);
        return DATABASE_URL ? pods * Number(DATABASE_CONNECTIONS) : 0;
      })
      .reduce((sum, connections) => sum + connections, 0);
    expect(most).toBeGreaterThan(needed);
  });
}
