import { firstThatFit } from '@parley/protocol';
import type {
  browseHistory,
  Caller,
  Message,
  Page,
  readHistory,
  replay,
  ReplyOf,
  RequestOf,
  RoomId,
  SentMessage,
  UserId,
} from '@parley/protocol';
import { maxPageMessages, ParleyError } from '@parley/protocol';
import type { Access } from './access.ts';
import type { MessageStore, PageBounds } from './store.ts';

export type History = ReturnType<typeof createHistory>;

/** Reading back what was sent. */
export function createHistory({ store, access }: { store: Pick<MessageStore, 'read'>; access: Access }) {
  /** For members only. @throws ParleyError `room_not_found` or `not_in_room`. */
  async function read(caller: Caller, request: RequestOf<typeof readHistory>): Promise<Page> {
    await requireMember(request.roomId, caller.userId);
    return readPage(request);
  }

  /** Guests are let into public rooms. */
  async function requireMember(roomId: RoomId, userId: UserId): Promise<void> {
    const members = await access.membersAmong(roomId, [userId]);
    if (!members.has(userId)) throw new ParleyError('not_in_room');
  }

  /** For members, and for everybody where the room is public. @throws ParleyError `room_not_found` or `not_in_room`. */
  async function browse(caller: Caller, request: RequestOf<typeof browseHistory>): Promise<Page> {
    if (!(await access.mayBrowse(request.roomId, caller.userId))) throw new ParleyError('not_in_room');
    return readPage(request);
  }

  async function readPage({ roomId, ...bounds }: RequestOf<typeof readHistory>): Promise<Page> {
    const { messages, hasMore } = await page(roomId, bounds);
    return { roomId, messages: messages.map(withoutOrigin), hasMore };
  }

  /** For gateways: what follows a message, oldest first. @throws ParleyError `room_not_found` or `not_in_room`. */
  async function replayAfter({
    roomId,
    readerId,
    after,
    limit = maxPageMessages,
  }: RequestOf<typeof replay>): Promise<ReplyOf<typeof replay>> {
    await requireMember(roomId, readerId);
    return page(roomId, { after, limit });
  }

  async function page(roomId: RoomId, bounds: PageBounds): Promise<ReplyOf<typeof replay>> {
    const found = await store.read(roomId, bounds);
    const oldestFirst = bounds.after !== undefined || bounds.from !== undefined;
    const candidates = oldestFirst ? found.slice(0, bounds.limit) : found.slice(-bounds.limit);
    const messages = oldestFirst ? firstThatFit(candidates) : firstThatFit(candidates.toReversed()).reverse();
    return { roomId, messages, hasMore: messages.length < found.length };
  }

  return { read, browse, replayAfter };
}

function withoutOrigin({ id, senderId, sender, content, sentAt, file }: SentMessage): Message {
  return { id, senderId, sender, content, sentAt, ...(file && { file }) };
}
