import {
  announceFile,
  browseHistory,
  commitSends,
  createId,
  createRoom,
  joinRoom,
  readHistory,
  replay,
  subjects,
} from '@parley/protocol';
import type {
  Caller,
  ConnectionId,
  FileInfo,
  Message,
  MessagesCommitted,
  Page,
  RequestOf,
  RoomId,
  Send,
  SendResult,
  SentMessage,
  User,
} from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import { answerMs, contextOf } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';

export type MessagesClient = ReturnType<typeof clientOf>;

/** Asks the service over the bus, as gateways do. */
export function clientOf({ bus }: Parley) {
  return {
    /** A public room with these members, the first of whom owns it. */
    async openRoom(owner: User, ...members: User[]): Promise<RoomId> {
      const request = {
        name: createId('room'),
        visibility: 'public' as const,
        participants: [],
        address: '192.0.2.1',
      };
      const { roomId } = await bus.call(createRoom, request, contextOf(owner));
      await Promise.all(members.map((member) => bus.call(joinRoom, { roomId }, contextOf(member))));
      return roomId;
    },

    async openPrivateRoom(owner: User): Promise<RoomId> {
      const request = {
        name: createId('room'),
        visibility: 'private' as const,
        participants: [],
        address: '192.0.2.1',
      };
      return (await bus.call(createRoom, request, contextOf(owner))).roomId;
    },

    /** Of each sender and connection with a request of its own, all at once; the results in the order of the sends. */
    async commit(roomId: RoomId, sends: readonly UserSend[], timeoutMs = answerMs): Promise<SendResult[]> {
      const bySender = Map.groupBy(sends, ({ sender, origin }) => `${sender.userId} ${origin}`);
      const results = new Map<UserSend, SendResult>();
      await Promise.all(
        [...bySender.values()].map(async (ofSender) => {
          const [first] = ofSender as [UserSend];
          const context = createContext(timeoutMs, callerOf(first));
          const answer = await bus.call(commitSends, { roomId, sends: ofSender.map(withoutSender) }, context);
          ofSender.forEach((send, index) => results.set(send, answer.results[index]!));
        }),
      );
      return sends.map((send) => results.get(send)!);
    },

    /** As the files service does; of an upload of its own, unless one is given. */
    announce: (roomId: RoomId, sender: User, file: FileInfo, uploadId = createId('upload')) =>
      bus.call(announceFile, { roomId, uploadId, sender, file }, createContext(answerMs)),

    /** What follows a message, as a gateway reads it for one of its users. */
    replay: (reader: User, roomId: RoomId, after: number, limit?: number) =>
      bus.call(
        replay,
        { roomId, readerId: reader.userId, after, ...(limit !== undefined && { limit }) },
        createContext(answerMs),
      ),

    read: (user: User, roomId: RoomId, bounds: Partial<Omit<RequestOf<typeof readHistory>, 'roomId'>> = {}) =>
      bus.call(readHistory, { limit: 1_000, ...bounds, roomId }, contextOf(user)),

    browse: (user: User, roomId: RoomId) =>
      bus.call(browseHistory, { limit: 1_000, roomId }, contextOf(user)),

    /** All of the room's history, page by page. */
    async readAll(user: User, roomId: RoomId): Promise<Message[]> {
      const messages: Message[] = [];
      for (let page: Page | undefined; page?.hasMore !== false; messages.push(...page.messages)) {
        const after = messages.at(-1)?.id ?? 0;
        page = await bus.call(readHistory, { limit: 1_000, roomId, after }, contextOf(user));
      }
      return messages;
    },

    /** The messages that the room is told of from now on. */
    async hear(roomId: RoomId): Promise<SentMessage[]> {
      const heard: SentMessage[] = [];
      bus.subscribe(subjects.roomMessages(roomId), (event) => {
        heard.push(...(event as MessagesCommitted).messages);
      });
      await bus.flush();
      return heard;
    },
  };
}

export function someone(name: string): User {
  return { userId: createId('user'), name };
}

/** A send with whose it is, and the connection that it comes from. */
export interface UserSend extends Send {
  sender: User;
  origin?: ConnectionId;
}

const someConnection = createId('connection');

export function sendOf(
  sender: User,
  content: string,
  more: { clientMessageId?: string; origin?: ConnectionId } = {},
): UserSend {
  return { sender, content, origin: someConnection, ...more };
}

/** For whom the request is made that brings the send. */
export function callerOf({ sender, origin }: UserSend): Caller {
  return { ...sender, ...(origin && { connectionId: origin }) };
}

export function withoutSender({ content, clientMessageId }: UserSend): Send {
  return { content, ...(clientMessageId !== undefined && { clientMessageId }) };
}

/** The ids of stored sends. @throws Error where one was refused. */
export function idsOf(results: readonly SendResult[]): number[] {
  return results.map((result) => {
    if ('error' in result) throw new Error(`a send was refused: ${result.error}`);
    return result.id;
  });
}

/** 1, 2, 3 ... */
export function oneTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

/** A guest: present where it is, member nowhere. */
export function guest(name: string): User {
  return { userId: createId('guest'), name };
}
