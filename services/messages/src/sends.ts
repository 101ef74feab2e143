import { setTimeout as delay } from 'node:timers/promises';
import { ParleyError, subjects } from '@parley/protocol';
import { traceparentInHand, withSpans } from '@parley/service-kit';
import type {
  announceFile,
  Caller,
  commitSends,
  MessagesCommitted,
  RequestOf,
  RoomId,
  SendResult,
  SentMessage,
  UserId,
} from '@parley/protocol';
import type { Access } from './access.ts';
import { startCommit } from './commit-spans.ts';
import type { CommitSpans } from './commit-spans.ts';
import { commitMessages, repeatedSends, sendsWaiting } from './metrics.ts';
import type { MessageStore, RoomSend, Stored } from './store.ts';

export interface SendsParts {
  store: Pick<MessageStore, 'insert'>;
  access: Pick<Access, 'membersAmong'>;
  publish: (subject: string, event: MessagesCommitted) => void;
}

/** Most sends of one statement. */
const maxBatch = 1_000;

/** After a batch of several the next one waits, in ms, for what comes in answer to it, unless as many wait already: see `SendLanes`. */
const gatherMs = 1;
const minGatheringBatch = 3;

/**
 * Bounds one event on the bus, which takes 1 MiB, in UTF-16 units of content: each is at most 6 bytes of JSON
 * (`\u001f`). What else is told of a message, its trace included, is at most 600 bytes; of its file: a name of 255 bytes, each of which JSON
 * may double, a type of 128 such units, and 150 for the rest.
 */
const maxEventUnits = 128 * 1_024;
const unitsBesideContent = 100;
const unitsOfFile = 240;

interface Waiting {
  sends: readonly RoomSend[];
  deadline: number;
  resolve: (stored: Stored[]) => void;
  reject: (error: unknown) => void;
}

export type Sends = ReturnType<typeof createSends>;

/**
 * Takes sends in. What arrives while a batch is being committed forms the next one: without load nothing waits, and
 * under load one commit serves many.
 */
export function createSends({ store, access, publish }: SendsParts) {
  const queue: Waiting[] = [];
  let committing = false;
  sendsWaiting.from(() => queue.length);

  /**
   * Commits what the caller sends to one room, in its order, and tells the room; who is no member is refused.
   * @param deadline What could not be begun by then is `unavailable`, in ms since 1970.
   */
  function commit(
    { userId, name, connectionId: origin }: Caller,
    { roomId, sends, traceparents }: RequestOf<typeof commitSends>,
    deadline: number,
  ): Promise<SendResult[]> {
    const sender = { userId, name };
    const inHand = traceparentInHand();
    // Nothing is taken over that is not named here: what a request may hold beside it says who sends, or a file.
    const ofCaller = sends.map(({ content, clientMessageId }, index) => {
      const traceparent = index === 0 ? inHand : traceparents?.[index];
      return {
        roomId,
        sender,
        content,
        ...(clientMessageId !== undefined && { clientMessageId }),
        ...(origin && { origin }),
        ...(traceparent && { traceparent }),
      };
    });
    return commitAllowed(roomId, userId, ofCaller, deadline);
  }

  /** Commits the message that announces a file; the upload is its own id, so that it is one message however often it is asked for. */
  async function announce(
    { roomId, uploadId, sender, origin, file }: RequestOf<typeof announceFile>,
    deadline: number,
  ): Promise<SendResult> {
    const clientMessageId = `file:${uploadId}`;
    const traceparent = traceparentInHand();
    const send = {
      roomId,
      sender,
      content: file.name,
      clientMessageId,
      file,
      ...(origin && { origin }),
      ...(traceparent !== undefined && { traceparent }),
    };
    const [result] = await commitAllowed(roomId, sender.userId, [send], deadline);
    return result!;
  }

  async function commitAllowed(
    roomId: RoomId,
    userId: UserId,
    sends: readonly RoomSend[],
    deadline: number,
  ): Promise<SendResult[]> {
    const error = await refusalOf(roomId, userId);
    return error ? sends.map(() => ({ error })) : enqueue(sends, deadline);
  }

  async function refusalOf(roomId: RoomId, userId: UserId) {
    try {
      const members = await access.membersAmong(roomId, [userId]);
      return members.has(userId) ? undefined : 'not_in_room';
    } catch (error) {
      if (ParleyError.from(error).code === 'room_not_found') return 'room_not_found';
      throw error;
    }
  }

  function enqueue(sends: readonly RoomSend[], deadline: number): Promise<Stored[]> {
    return new Promise((resolve, reject) => {
      queue.push({ sends, deadline, resolve, reject });
      if (!committing) void commitAll();
    });
  }

  async function commitAll(): Promise<void> {
    committing = true;
    // What arrives in this turn of the event loop goes along.
    await new Promise(setImmediate);
    while (queue.length > 0) {
      const batch = takeBatch();
      await commitBatch(batch);
      const size = sizeOf(batch);
      if (size >= minGatheringBatch && sizeOf(queue) < size) await delay(gatherMs);
    }
    committing = false;
  }

  function takeBatch(): Waiting[] {
    let size = 0;
    const end = queue.findIndex(({ sends }) => {
      size += sends.length;
      return size > maxBatch;
    });
    const batch = queue.splice(0, end === -1 ? queue.length : Math.max(end, 1));
    const now = Date.now();
    for (const late of batch.filter(({ deadline }) => deadline <= now))
      late.reject(new ParleyError('unavailable'));
    return batch.filter(({ deadline }) => deadline > now);
  }

  async function commitBatch(batch: readonly Waiting[]): Promise<void> {
    if (batch.length === 0) return;
    const all = batch.flatMap(({ sends }) => sends);
    const spans = startCommit(all);
    try {
      const stored = await (spans ? withSpans(spans.all, () => insertOnce(all)) : insertOnce(all));
      commitMessages.observe(stored.length);
      publishFresh(stored, spans);
      spans?.end();
      const results = stored.values();
      for (const { sends, resolve } of batch) resolve(sends.map(() => results.next().value!.stored));
    } catch (error) {
      spans?.end(error);
      for (const { reject } of batch) reject(error);
    }
  }

  /** Stores the sends; those that repeat another of the same batch get its place. */
  async function insertOnce(sends: readonly RoomSend[]): Promise<StoredSend[]> {
    const unique = new Map<string | RoomSend, RoomSend>();
    for (const send of sends) if (!unique.has(identityOf(send))) unique.set(identityOf(send), send);
    const firsts = [...unique.keys()];
    const stored = await store.insert([...unique.values()]);
    const places = new Map(firsts.map((identity, index) => [identity, stored[index]!]));
    return sends.map((send) => {
      const identity = identityOf(send);
      const place = places.get(identity)!;
      return { send, stored: unique.get(identity) === send ? place : { ...place, repeated: true } };
    });
  }

  /** Tells each room of its fresh messages, in the order of their ids. */
  function publishFresh(all: readonly StoredSend[], spans: CommitSpans | undefined): void {
    const fresh = all.filter(({ stored }) => !stored.repeated);
    repeatedSends.inc(all.length - fresh.length);
    for (const [roomId, sends] of Map.groupBy(fresh, ({ send }) => send.roomId)) {
      for (const part of partsOf(sends)) {
        const traceparents = spans?.traceparentsOf(part.map(({ send }) => send));
        publish(subjects.roomMessages(roomId), {
          roomId,
          messages: part.map(messageOf),
          ...(traceparents && { traceparents }),
        });
      }
    }
  }

  return { commit, announce };
}

function sizeOf(batch: readonly Waiting[]): number {
  return batch.reduce((size, { sends }) => size + sends.length, 0);
}

interface StoredSend {
  send: RoomSend;
  stored: Stored;
}

function messageOf({ send, stored: { id, sentAt } }: StoredSend): SentMessage {
  const { sender, content, origin, file } = send;
  return {
    id,
    senderId: sender.userId,
    sender: sender.name,
    content,
    sentAt,
    ...(origin && { origin }),
    ...(file && { file }),
  };
}

/** The same for a send and its repeats; a send without an id of its sender's is only itself. */
function identityOf(send: RoomSend): string | RoomSend {
  const { roomId, sender, clientMessageId } = send;
  return clientMessageId === undefined ? send : `${roomId} ${sender.userId} ${clientMessageId}`;
}

/** Cuts the sends so that each part fits one event on the bus. */
function partsOf(sends: readonly StoredSend[]): StoredSend[][] {
  const parts: StoredSend[][] = [[]];
  let size = 0;
  for (const stored of sends) {
    const { content, file } = stored.send;
    const units = content.length + unitsBesideContent + (file ? unitsOfFile : 0);
    size += units;
    if (size > maxEventUnits && parts.at(-1)!.length > 0) {
      parts.push([]);
      size = units;
    }
    parts.at(-1)!.push(stored);
  }
  return parts;
}
