import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createId,
  findUsers,
  isGuest,
  keepGuests,
  openGuest,
  releaseGuests,
  renameGuest,
} from '@parley/protocol';
import type { ConnectionPlace, GatewayId, HeldGuest, ReplyOf, User } from '@parley/protocol';
import { createContext, createLog, Database, openRedis } from '@parley/service-kit';
import type { RedisStore } from '@parley/service-kit';
import { answerMs, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { clientOf, holdLease, newAddress, playGateway } from './testing.ts';
import type { PlayedGateway } from './testing.ts';

/** A guest, and where it is. */
type OpenedGuest = ReplyOf<typeof openGuest> & ConnectionPlace;

const taken = { code: 'username_taken' };
const allKept = { lost: [], takenOver: [] };
const isAnAccounts = { code: 'not_authenticated' };

describe('where guests are allowed', () => {
  const opened = new AsyncDisposableStack();
  let parley: Parley;
  let redis: RedisStore;
  let database: Database;
  let here: PlayedGateway;
  let there: PlayedGateway;
  let signUp: ReturnType<typeof clientOf>['signUp'];

  beforeAll(async () => {
    parley = opened.use(await startParley({ gateways: 0, instances: 2 }));
    const { redisUrl, databaseUrl } = parley.stack.servers.addresses;
    const log = createLog('test', 'silent');
    redis = opened.use(await openRedis({ redisUrl, timeoutMs: 5_000, log }));
    database = opened.use(new Database({ databaseUrl, connections: 1, timeoutMs: 5_000, log }));
    here = opened.use(await playGateway(parley.bus));
    there = opened.use(await playGateway(parley.bus));
    ({ signUp } = clientOf(parley));
  });
  afterAll(() => opened.disposeAsync());

  /** A guest on a connection of its own, or one more of that with the key. */
  async function open(
    name: string,
    { gatewayId }: { gatewayId: GatewayId } = here,
    sessionKey?: string,
  ): Promise<OpenedGuest> {
    const place = { connectionId: createId('connection'), gatewayId };
    const address = newAddress();
    const request = { name, address, place, ...(sessionKey === undefined ? {} : { sessionKey }) };
    return { ...place, ...(await parley.bus.call(openGuest, request, createContext(answerMs))) };
  }

  async function rename({ userId, name, ...opened }: OpenedGuest, newName: string): Promise<OpenedGuest> {
    const { connectionId, gatewayId } = opened;
    const request = { guest: { userId, name }, newName, place: { connectionId, gatewayId } };
    const context = createContext(answerMs, { userId, name, connectionId });
    return { ...opened, ...(await parley.bus.call(renameGuest, request, context)) };
  }

  /** Which of them are lost or taken over. */
  function keep(
    guests: HeldGuest[],
    { gatewayId }: { gatewayId: GatewayId } = here,
  ): Promise<ReplyOf<typeof keepGuests>> {
    return parley.bus.call(keepGuests, { gatewayId, guests }, createContext(answerMs));
  }

  function release(...guests: HeldGuest[]): Promise<object> {
    return parley.bus.call(releaseGuests, { guests }, createContext(answerMs));
  }

  /** How long the name is still claimed, in ms; negative where it is not, or for ever. */
  function claimedMs(name: string): Promise<number> {
    return redis.run((commands) => commands.pttl(`parley:guest:${name}`));
  }

  function exists(key: string): Promise<boolean> {
    return redis.run(async (commands) => (await commands.exists(key)) === 1);
  }

  /** As though the gateway had been silent for most of its lease. A renewal that is under way yet gives it back whole. */
  async function leaseEnds({ gatewayId }: PlayedGateway): Promise<void> {
    const key = `parley:gateway-lease:${gatewayId}`;
    await redis.run((commands) => commands.pexpire(key, 1_000));
    await until('the lease is over', async () => !(await exists(key)));
  }

  function leaseIsBack({ gatewayId }: PlayedGateway): Promise<void> {
    return until('the lease is back', () => exists(`parley:gateway-lease:${gatewayId}`));
  }

  /** Does the work while others wait for the accounts. */
  function withAccountsLocked(mode: string, work: () => Promise<void>): Promise<void> {
    return database.transaction(async ({ query }) => {
      await query({ name: '', text: `lock table auth.account in ${mode} mode` });
      await work();
    });
  }

  test('a guest gets the id of a guest, another each time', async () => {
    const anna = await open('anna');
    expect(anna.name).toBe('anna');
    expect(isGuest(anna.userId)).toBe(true);
    await release(anna);
    expect((await open('anna')).userId).not.toBe(anna.userId);
  });

  test('the name of an account is not to be had, nor that of a guest who is here', async () => {
    await signUp('berta');
    await expect(open('berta')).rejects.toMatchObject(isAnAccounts);
    await open('bruno');
    await expect(open('bruno', there)).rejects.toMatchObject(taken);
    await expect(open('bruno')).rejects.toMatchObject(taken);
    expect(await open('Bruno')).toMatchObject({ name: 'Bruno' });
  });

  test('of 20 who want one name at once one gets it', async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => open('clara', index % 2 === 0 ? here : there)),
    );
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const attempt of attempts.filter(({ status }) => status === 'rejected')) {
      expect(attempt).toMatchObject({ reason: taken });
    }
  });

  test('the name of a guest can’t be registered as long as the guest is here', async () => {
    const dora = await open('dora');
    await expect(signUp('dora')).rejects.toMatchObject(taken);
    const found = await parley.bus.call(findUsers, { names: ['dora'] }, createContext(answerMs));
    expect(found).toEqual({ users: [] });
    await release(dora);
    expect(await signUp('dora')).toMatchObject({ name: 'dora' });
    await expect(open('dora')).rejects.toMatchObject(isAnAccounts);
  });

  test('of a guest and an account that want one name at once one gets it', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `emil ${index}`);
    const accounts = names.map((name) => signUp(name));
    // Registering takes a while: a guest who comes when the one before is through meets its own at any step.
    const guests = names.map(async (name, index) => {
      await Promise.allSettled(accounts.slice(Math.max(0, index - 1), index));
      return open(name);
    });
    const [ofAccounts, ofGuests] = await Promise.all([
      Promise.allSettled(accounts),
      Promise.allSettled(guests),
    ]);
    const gotIt = names.map((_name, index) =>
      [ofAccounts[index]!, ofGuests[index]!].map(({ status }) => status === 'fulfilled'),
    );
    for (const [isAccount, isGuests] of gotIt) expect(isAccount).toBe(!isGuests);
  });

  test('a name that is being registered is no guest’s, and its reservation ends by itself', async () => {
    let account: Promise<User> | undefined;
    await withAccountsLocked('share row exclusive', async () => {
      account = signUp('frida');
      await until('the name is reserved', () => exists('parley:guest:frida'));
      await expect(open('frida')).rejects.toMatchObject(taken);
      expect(await claimedMs('frida')).toBeGreaterThan(0);
    });
    expect(await account).toMatchObject({ name: 'frida' });
    await expect(open('frida')).rejects.toMatchObject(isAnAccounts);
  });

  test('a name that a guest is about to get can’t be registered', async () => {
    let guest: Promise<User> | undefined;
    await withAccountsLocked('access exclusive', async () => {
      guest = open('gustav');
      await until('the name is claimed', () => exists('parley:guest:gustav'));
      await expect(signUp('gustav')).rejects.toMatchObject(taken);
    });
    expect(await guest).toMatchObject({ name: 'gustav' });
  });

  test('the guests of a gateway that fell silent lose their names when its lease is over', async () => {
    const silent = opened.use(await playGateway(parley.bus));
    await open('hans', silent);
    await open('heidi', silent);
    await expect(open('hans')).rejects.toMatchObject(taken);
    silent.stopRenewing();
    await leaseEnds(silent);
    expect(await open('hans')).toMatchObject({ name: 'hans' });
    expect(await signUp('heidi')).toMatchObject({ name: 'heidi' });
  });

  test('a gateway may have guests before its lease', async () => {
    const gatewayId = createId('gateway');
    await open('ida', { gatewayId });
    opened.use(await holdLease(parley.bus, gatewayId));
    await expect(open('ida')).rejects.toMatchObject(taken);
  });

  test('a name is released by the guest who has it, and by no other', async () => {
    const jan = await open('jan');
    await release({ ...jan, userId: createId('guest') });
    await expect(open('jan', there)).rejects.toMatchObject(taken);
    await release(jan);
    expect(await open('jan', there)).toMatchObject({ name: 'jan' });
    await release(jan);
    await expect(open('jan')).rejects.toMatchObject(taken);
  });

  test('a guest who is gone keeps no name, though its gateway still tells of it', async () => {
    const karl = await open('karl');
    await release(karl);
    expect(await keep([karl])).toEqual(allKept);
    expect(await open('karl', there)).toMatchObject({ name: 'karl' });
    expect(await keep([karl])).toEqual({ lost: [karl.connectionId], takenOver: [] });
  });

  describe('whoever has a guest’s key', () => {
    test('is that guest again, whatever its name; nobody else is', async () => {
      const urs = await open('urs');
      await release(urs);
      expect(await open('ursula', there, urs.sessionKey)).toMatchObject({
        userId: urs.userId,
        sessionKey: urs.sessionKey,
      });
      expect((await open('urs')).userId).not.toBe(urs.userId);
    });

    test('has its name at once, though a former connection has it still', async () => {
      const former = await open('viola');
      const viola = await open('viola', there, former.sessionKey);
      const { connectionId, gatewayId } = former;
      expect(viola).toMatchObject({ userId: former.userId, former: { connectionId, gatewayId } });
      await expect(open('viola')).rejects.toMatchObject(taken);
      expect(await keep([former])).toEqual({ lost: [], takenOver: [former.connectionId] });
      await release(former);
      await expect(open('viola')).rejects.toMatchObject(taken);
      expect(await keep([viola], there)).toEqual(allKept);
      await release(viola);
      expect(await open('viola')).not.toHaveProperty('former');
    });

    test('leaves the name to a former connection that is still here when it goes', async () => {
      const former = await open('wanda');
      await release(await open('wanda', there, former.sessionKey));
      expect(await keep([former])).toEqual(allKept);
      await expect(open('wanda', there)).rejects.toMatchObject(taken);
    });

    test('can’t have the name of another who is here', async () => {
      const xaver = await open('xaver');
      await open('yvonne');
      await expect(open('yvonne', here, xaver.sessionKey)).rejects.toMatchObject(taken);
    });

    test.each(['short', 'x'.repeat(44), `${'x'.repeat(42)}!`])('has one of ours, not %p', async (key) => {
      await expect(open('zoe', here, key)).rejects.toMatchObject({ code: 'invalid_credentials' });
    });
  });

  test('a renamed guest has its new name, and its old one is free', async () => {
    const lena = await open('lena');
    const renamed = await rename(lena, 'lene');
    expect(renamed).toEqual({ ...lena, name: 'lene' });
    await expect(open('lene', there)).rejects.toMatchObject(taken);
    expect(await open('lena', there)).toMatchObject({ name: 'lena' });
    expect(await keep([renamed])).toEqual(allKept);
  });

  test('a guest may be renamed to the name it has, and to one it had', async () => {
    const mia = await open('mia');
    expect(await rename(mia, 'mia')).toEqual(mia);
    await expect(open('mia', there)).rejects.toMatchObject(taken);
    await rename(await rename(mia, 'mio'), 'mia');
    await expect(open('mia', there)).rejects.toMatchObject(taken);
    expect(await open('mio', there)).toMatchObject({ name: 'mio' });
  });

  test('a guest keeps its name where the new one is an account’s or another guest’s', async () => {
    await signUp('nora');
    await open('nelly', there);
    const nino = await open('nino');
    await expect(rename(nino, 'nora')).rejects.toMatchObject(taken);
    await expect(rename(nino, 'nelly')).rejects.toMatchObject(taken);
    await expect(open('nino', there)).rejects.toMatchObject(taken);
    expect(await keep([nino])).toEqual(allKept);
  });

  test('a guest is renamed by itself only, and nobody else is', async () => {
    const [nick, other] = [await open('nick'), await open('oscar')];
    const account = await signUp('olivia');
    const { connectionId, gatewayId } = nick;
    const ask = (guest: User, caller?: User) => {
      const request = { guest, newName: 'nico', place: { connectionId, gatewayId } };
      return parley.bus.call(
        renameGuest,
        request,
        createContext(answerMs, caller && { ...caller, connectionId }),
      );
    };
    const [nickUser, otherUser] = [nick, other].map(({ userId, name }) => ({ userId, name }));
    await expect(ask(nickUser!, otherUser)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(ask(account, account)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(ask(nickUser!)).rejects.toMatchObject({ code: 'not_authenticated' });
    expect(await open('nico', there)).toMatchObject({ name: 'nico' });
    expect(await keep([nick])).toEqual(allKept);
  });

  test('of guests who are renamed to one name at once one gets it', async () => {
    const guests = await Promise.all(Array.from({ length: 8 }, (_, index) => open(`olga ${index}`)));
    const attempts = await Promise.allSettled(guests.map((guest) => rename(guest, 'olga')));
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const kept = guests.filter((_guest, index) => attempts[index]!.status === 'rejected');
    for (const { name } of kept) await expect(open(name, there)).rejects.toMatchObject(taken);
  });

  test('a claim has an end, and is prolonged as long as its guest is kept', async () => {
    const paul = await open('paul');
    const wholeMs = await claimedMs('paul');
    expect(wholeMs).toBeGreaterThan(60_000);
    await redis.run((commands) => commands.pexpire('parley:guest:paul', 10_000));
    expect(await keep([paul])).toEqual(allKept);
    expect(await claimedMs('paul')).toBeGreaterThan(60_000);
  });

  test('when Redis is emptied guests keep their names, but those that others took meanwhile', async () => {
    const [quinn, rosa, sven] = [await open('quinn'), await open('rosa'), await open('sven')];
    await redis.run((commands) => commands.flushall());
    await Promise.all([leaseIsBack(here), leaseIsBack(there)]);
    await open('quinn', there);
    await signUp('rosa');
    const { lost, takenOver } = await keep([quinn, rosa, sven]);
    expect(lost.sort()).toEqual([quinn.connectionId, rosa.connectionId].sort());
    expect(takenOver).toEqual([]);
    for (const name of ['quinn', 'sven']) await expect(open(name, there)).rejects.toMatchObject(taken);
    await expect(open('rosa')).rejects.toMatchObject(isAnAccounts);
  });

  test('while Postgres is away nobody becomes a guest, and no name is lost by trying', async () => {
    const tina = await open('tina');
    const server = parley.stack.servers.postgres!;
    await server.stop();
    await expect(open('ute')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(rename(tina, 'uta')).rejects.toMatchObject({ code: 'unavailable' });
    await server.start();
    for (const name of ['ute', 'uta']) {
      const codes = new Set<string>();
      await until('guests are welcome again', () =>
        open(name, there).then(
          () => true,
          (error: unknown) => !codes.add((error as { code: string }).code),
        ),
      );
      expect([...codes].filter((code) => code !== 'unavailable')).toEqual([]);
    }
    await expect(open('tina', there)).rejects.toMatchObject(taken);
  });

  test('while Redis is away nobody becomes a guest and no account is made', async () => {
    const server = parley.stack.servers.redis!;
    await server.stop();
    await expect(open('vera')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(signUp('vera')).rejects.toMatchObject({ code: 'unavailable' });
    await server.start();
    await until('guests are welcome again', () =>
      open('vera').then(
        () => true,
        () => false,
      ),
    );
  });
});

test('with ALLOW_GUESTS=false there are none, and the refusal says what to do', async () => {
  await using parley = await startParley({ gateways: 0, environment: { ALLOW_GUESTS: 'false' } });
  const place = { connectionId: createId('connection'), gatewayId: createId('gateway') };
  const guest = { name: 'walter', address: newAddress(), place };
  await expect(parley.bus.call(openGuest, guest, createContext(answerMs))).rejects.toMatchObject({
    code: 'forbidden',
    message: 'Guests are not allowed here; log in with an account.',
  });
  expect(await clientOf(parley).signUp('walter')).toMatchObject({ name: 'walter' });
});
