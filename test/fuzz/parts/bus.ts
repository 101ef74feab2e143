import * as contract from '@parley/protocol';
import { findUsers, subjects } from '@parley/protocol';
import type { Caller, GatewayId, Method } from '@parley/protocol';
import { createContext, createLog, discoverServices, openBus } from '@parley/service-kit';
import type { Bus } from '@parley/service-kit';
import { readCorpus } from '../corpus.ts';
import { Vocabulary } from '../generation/vocabulary.ts';
import { requestTimeoutMs } from '../system.ts';
import { logInOverHttp, makeRoomOverHttp, newName, newPassword } from './accounts.ts';
import { BusLane } from './bus-lane.ts';
import type { BusEndpoint } from './bus-lane.ts';
import { patienceMs } from './part.ts';
import type { PartContext } from './part.ts';

const lanesOfEach = 4;

/** What services and operators ask of a gateway; all other methods of its own are for those who are connected to it. */
const askedOfGateways: readonly string[] = ['probeConnection', 'readStatus'];

/**
 * Requests to every method that services answer, from whoever runs Parley, who may ask for all of it, and from the gateway, as if it
 * had been taken over.
 */
export async function fuzzBus(context: PartContext): Promise<void> {
  const { system, random } = context;
  const open = (user: 'operator' | 'gateway', name: string): Promise<Bus> =>
    openBus({ natsUrl: system.natsUrlOf(user), name, requestTimeoutMs, log: createLog('fuzz', 'silent') });
  await using operator = await open('operator', 'parley-admin');
  await using gateway = await open('gateway', 'parley-gateway');
  const endpoints = await findEndpoints(operator);
  const { vocabulary, callers } = await makeCallers(context, operator);
  const corpus = readCorpus('bus');
  await context.budget.prepared();
  const lanes = [operator, gateway].flatMap((bus) =>
    Array.from({ length: lanesOfEach }, () => {
      const own = { ...context, random: random.fork(), vocabulary };
      return new BusLane(bus.connection, endpoints, callers, own, corpus).run();
    }),
  );
  await Promise.all(lanes);
}

async function findEndpoints(bus: Bus): Promise<BusEndpoint[]> {
  const gatewayId = await findGateway(bus);
  return Object.values<unknown>(contract)
    .filter(isMethod)
    .filter(({ service, endpoint }) => service !== 'gateway' || askedOfGateways.includes(endpoint))
    .map((method) => ({
      method,
      subject:
        method.service === 'gateway' ? subjects.gatewayMethod(method, gatewayId) : subjects.method(method),
    }));
}

/** Under load an instance may be too busy to be among those who answer a question to all. */
async function findGateway(bus: Bus): Promise<GatewayId> {
  const deadline = Date.now() + patienceMs;
  do {
    const instances = await discoverServices(bus.connection, patienceMs);
    const found = instances.find(({ service }) => service === 'gateway')?.gatewayId;
    if (found) return found;
  } while (Date.now() < deadline);
  throw new Error('no gateway answers for itself');
}

function isMethod(value: unknown): value is Method {
  return typeof value === 'object' && value !== null && 'endpoint' in value && 'request' in value;
}

/** Accounts and rooms that nobody else uses: an operator may well end the sessions of everybody and drop every room. */
async function makeCallers(
  { system, secrets }: PartContext,
  bus: Bus,
): Promise<{ vocabulary: Vocabulary; callers: Caller[] }> {
  const { url } = system.gateway;
  const vocabulary = new Vocabulary();
  const names = [newName(), newName()];
  for (const name of names) {
    const password = newPassword(secrets);
    const token = await logInOverHttp(url, { name, password }, secrets);
    const room = await makeRoomOverHttp(url, { roomName: `Room of ${name}`, creator: name }, token);
    for (const [kind, value] of [
      ['user', name],
      ['password', password],
      ['key', token],
      ['roomId', room],
      // What is called just `name` on the bus is a user's as often as a room's.
      ['roomName', name],
      ['roomName', `Room of ${name}`],
      ['fileName', 'fuzz.txt'],
    ] as const) {
      vocabulary.learn(kind, value);
    }
  }
  const { users } = await bus.call(findUsers, { names }, createContext(requestTimeoutMs));
  const guest = { userId: contract.createId('guest'), name: newName() };
  const callers = [...users, guest].map((user) => ({
    ...user,
    connectionId: contract.createId('connection'),
  }));
  for (const { userId, connectionId } of callers) {
    vocabulary.learn('userId', userId);
    vocabulary.learn('connectionId', connectionId);
  }
  vocabulary.learn('gatewayId', contract.createId('gateway'));
  return { vocabulary, callers };
}
