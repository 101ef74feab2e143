import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { commitSends, findUsers, subjects } from '@parley/protocol';
import type { MessagesCommitted, RoomId } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import { answerMs, startParley, startTraceCollector, until } from '@parley/test-kit';
import type { CollectedSpan, LoginClient, Parley, TraceCollector } from '@parley/test-kit';

let collector: TraceCollector;
let parley: Parley;
let alice: LoginClient;
let bob: LoginClient;
let roomId: string;
beforeAll(async () => {
  collector = await startTraceCollector();
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  parley = await startParley({ gateways: 2, environment });
  alice = await parley.logIn('alice', 0);
  bob = await parley.logIn('bob', 1);
  const room = { room_name: 'Tea', participants: ['bob'] };
  roomId = (await alice.ask('create_room', room)).room_id;
  await alice.ask('send_message', { room_id: roomId, content: 'is anybody there?' });
  await until('bob is in the room', () => bob.messagesOf(roomId).length === 1);
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
  await collector[Symbol.asyncDispose]();
});

/** The spans of a trace, once there are so many of these names. */
async function traceWith(traceId: string, counts: Record<string, number>): Promise<CollectedSpan[]> {
  const spans = () => collector.spans.filter((span) => span.traceId === traceId);
  const count = (wanted: string) => spans().filter(({ name }) => name === wanted).length;
  await until(`a trace with ${JSON.stringify(counts)}`, () =>
    Object.entries(counts).every(([name, least]) => count(name) >= least),
  );
  return spans();
}

/** The spans in which the deliveries of the message began: one for each gateway where somebody is in the room. */
async function deliveriesOf(messageId: number, gateways: number): Promise<CollectedSpan[]> {
  const found = () =>
    collector.spans.filter(
      ({ name, attributes }) =>
        name === 'deliver' &&
        attributes['parley.room_id'] === roomId &&
        Number(attributes['parley.message_id']) === messageId,
    );
  await until(`deliveries of message ${messageId}`, () => found().length >= gateways);
  return found();
}

/** The way from the root down to the span, by names and services. */
function wayTo(span: CollectedSpan, spans: readonly CollectedSpan[]): string[] {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return [...(parent ? wayTo(parent, spans) : []), `${span.service} ${span.name}`];
}

describe('a send', () => {
  test('is one trace, from the frame over bus, service and SQL to the delivery at each gateway', async () => {
    const { message_id } = await alice.ask('send_message', { room_id: roomId, content: 'tea is ready' });
    const deliveries = await deliveriesOf(message_id, 2);
    const { traceId } = deliveries[0]!;
    const spans = await traceWith(traceId, { send_message: 1, deliver: 2, 'messages.insert': 1 });

    const service = [
      'parley-gateway send_message',
      'parley-gateway messages.commitSends',
      'parley-messages messages.commitSends',
      'parley-messages commit',
    ];
    const statement = spans.find(({ name }) => name === 'messages.insert')!;
    expect(wayTo(statement, spans)).toEqual([...service, 'parley-messages messages.insert']);
    for (const delivery of deliveries) {
      expect(delivery.traceId).toBe(traceId);
      expect(wayTo(delivery, spans)).toEqual([...service, 'parley-gateway deliver']);
    }
    expect(new Set(deliveries.map(({ instance }) => instance)).size).toBe(2);
    expect(spans.filter(({ parentSpanId }) => parentSpanId === undefined)).toHaveLength(1);
    expect(spans.every(({ isFailure }) => !isFailure)).toBe(true);
  });

  test('tells a collector its statement, and nothing of what was said', async () => {
    const secret = 'the cake is in the cellar';
    const { message_id } = await alice.ask('send_message', { room_id: roomId, content: secret });
    const [delivery] = await deliveriesOf(message_id, 2);
    const spans = await traceWith(delivery!.traceId, { 'messages.insert': 1, send_message: 1 });
    const statement = spans.find(({ name }) => name === 'messages.insert')!;
    expect(statement.attributes['db.query.text']).toContain('insert into messages.message');
    expect(JSON.stringify(collector.spans)).not.toContain(secret);
    expect(JSON.stringify([alice.received, bob.received])).not.toContain('traceparent');
  });

  test('is a whole trace of its own, however many were committed together', async () => {
    const contents = Array.from({ length: 20 }, (_, n) => `cup ${n}`);
    const acks = await Promise.all(
      contents.map((content) => alice.ask('send_message', { room_id: roomId, content })),
    );
    const traceIds = new Set<string>();
    for (const { message_id } of acks) {
      const deliveries = await deliveriesOf(message_id, 2);
      const { traceId } = deliveries[0]!;
      traceIds.add(traceId);
      const names = { send_message: 1, 'messages.commitSends': 1, commit: 1, 'messages.insert': 1 };
      const spans = await traceWith(traceId, names);
      for (const delivery of deliveries) {
        const way = wayTo(delivery, spans);
        expect([way[0], way[1], ...way.slice(-2)]).toEqual([
          'parley-gateway send_message',
          'parley-gateway messages.commitSends',
          'parley-messages commit',
          'parley-gateway deliver',
        ]);
      }
    }
    expect(traceIds.size).toBe(contents.length);
    const commits = collector.spans.filter(({ name, traceId }) => name === 'commit' && traceIds.has(traceId));
    const together = commits.filter(({ links }) => links.length > 0);
    expect(together.length).toBeGreaterThan(1);
    for (const { links } of together) {
      for (const link of links) expect(commits.some(({ spanId }) => spanId === link.spanId)).toBe(true);
    }
  });

  test('of which no trace is made is in none, whatever it is committed with', async () => {
    const [own, others] = ['6a', '6b'].map((half) => half.repeat(16)) as [string, string];
    const { users } = await parley.bus.call(findUsers, { names: ['alice'] });
    const caller = { userId: users[0]!.userId, name: 'alice' };
    const { results } = await parley.bus.call(
      commitSends,
      {
        roomId: roomId as RoomId,
        sends: ['of a trace', 'of none', 'of another'].map((content) => ({ content })),
        traceparents: [null, null, `00-${others}-${'0a'.repeat(8)}-01`],
      },
      createContext(answerMs, caller, `00-${own}-${'0a'.repeat(8)}-01`),
    );
    const ids = results.map((result) => ('id' in result ? result.id : 0));
    const traces = [await deliveriesOf(ids[0]!, 2), await deliveriesOf(ids[2]!, 2)];
    expect(traces.map((spans) => spans.map(({ traceId }) => traceId))).toEqual([
      [own, own],
      [others, others],
    ]);
    const deliveries = collector.spans.filter(({ name, traceId }) => name === 'deliver' && traceId === own);
    expect(deliveries).toHaveLength(2);
  });

  test('that is refused says why', async () => {
    const { room_id } = await bob.ask('create_room', { room_name: 'Not for alice', participants: [] });
    expect(await alice.request('send_message', { room_id, content: 'hello' })).toMatchObject({
      code: 'not_in_room',
    });
    const refused = () =>
      collector.spans.find(
        ({ name, attributes }) => name === 'send_message' && attributes['error.type'] === 'not_in_room',
      );
    await until('its span', () => refused() !== undefined);
    expect(refused()).toMatchObject({ isFailure: false, attributes: { 'parley.dialect': 'login' } });
  });
});

describe('a request over HTTP', () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const parentId = '00f067aa0ba902b7';

  async function listRooms(traceparent: string): Promise<void> {
    const token = await parley.getToken('alice');
    const headers = { authorization: `Bearer ${token}`, traceparent };
    const { status } = await fetch(`${parley.stack.gateways[0]!.url}/api/rooms`, { headers });
    expect(status).toBe(200);
  }

  test('goes on with the trace of its traceparent', async () => {
    await listRooms(`00-${traceId}-${parentId}-01`);
    const spans = await traceWith(traceId, { 'GET /api/rooms': 1, 'rooms.listReachable': 2 });
    const request = spans.find(({ name }) => name === 'GET /api/rooms')!;
    expect(request).toMatchObject({
      parentSpanId: parentId,
      service: 'parley-gateway',
      attributes: { 'http.route': '/api/rooms', 'http.request.method': 'GET' },
    });
    const answered = spans.find(
      ({ service, attributes }) =>
        service === 'parley-rooms' && attributes['rpc.method'] === 'rooms.listReachable',
    )!;
    const statement = spans.find(({ parentSpanId }) => parentSpanId === answered.spanId)!;
    expect(statement.attributes['db.system.name']).toBe('postgresql');
    expect(wayTo(answered, spans)).toEqual([
      'parley-gateway GET /api/rooms',
      'parley-gateway rooms.listReachable',
      'parley-rooms rooms.listReachable',
    ]);
  });

  test.each([
    'nonsense',
    `00-${'0'.repeat(32)}-${parentId}-01`,
    `ff-${traceId.replace('4', '5')}-${parentId}-01`,
  ])('with traceparent %s begins one of its own', async (traceparent) => {
    const before = new Set(collector.spans.map(({ spanId }) => spanId));
    await listRooms(traceparent);
    const fresh = () =>
      collector.spans.find(({ name, spanId }) => name === 'GET /api/rooms' && !before.has(spanId));
    await until('its span', () => fresh() !== undefined);
    expect(fresh()!.parentSpanId).toBeUndefined();
  });
});

test('what belongs to no trace is none', () => {
  const roots = collector.spans.filter(({ parentSpanId }) => parentSpanId === undefined);
  const names = roots.map(({ service, name }) => `${service} ${name}`);
  // Neither leases nor comparisons nor health checks, of which there were some meanwhile.
  expect([...new Set(names)].sort()).toEqual([
    'parley-gateway GET /api/rooms',
    'parley-gateway POST /api/login',
    'parley-gateway POST /api/register',
    'parley-gateway create_room',
    'parley-gateway login',
    'parley-gateway register',
    'parley-gateway send_message',
  ]);
});

test('what is told of a message says what its delivery is a part of, on the bus only', async () => {
  const heard: MessagesCommitted[] = [];
  const event = subjects.roomMessages(roomId as RoomId);
  const subscription = parley.bus.subscribe(event, (told) => {
    heard.push(told as MessagesCommitted);
  });
  await parley.bus.flush();
  await alice.ask('send_message', { room_id: roomId, content: 'goodbye' });
  await until('the event', () => heard.length > 0);
  subscription.unsubscribe();
  expect(heard[0]!.traceparents).toEqual([expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)]);
});
