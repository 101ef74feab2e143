import {
  browseHistory,
  commitSends,
  createId,
  createRoom,
  joinRoom,
  readHistory,
  subjects,
} from '@parley/protocol';
import type {
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
import { contextOf } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';

export type MessagesClient = ReturnType<typeof clientOf>;

/** Asks the service over the bus, as gateways do. */
export function clientOf({ bus }: Parley) {
  return {
    /** A public room with these members, the first of whom owns it. */
    async openRoom(owner: User, ...members: User[]): Promise<RoomId> {
      const request = { name: createId('room'), visibility: 'public' as const, participants: [] };
      const { roomId } = await bus.call(createRoom, request, contextOf(owner));
      await Promise.all(members.map((member) => bus.call(joinRoom, { roomId }, contextOf(member))));
      return roomId;
    },

    async openPrivateRoom(owner: User): Promise<RoomId> {
      const request = { name: createId('room'), visibility: 'private' as const, participants: [] };
      return (await bus.call(createRoom, request, contextOf(owner))).roomId;
    },

    async commit(roomId: RoomId, sends: Send[], context = createContext(5_000)): Promise<SendResult[]> {
      return (await bus.call(commitSends, { roomId, sends }, context)).results;
    },

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

export function sendOf(
  sender: User,
  content: string,
  more: { clientMessageId?: string; origin?: ConnectionId; file?: FileInfo } = {},
): Send {
  return { sender, content, origin: createId('connection'), ...more };
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
