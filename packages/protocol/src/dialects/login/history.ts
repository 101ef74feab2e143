import { Type } from '@parley/schema';
import type { Static, TObject } from '@parley/schema';
import { browseHistory, maxPageMessages, readHistory } from '../../contract/messages.ts';
import type { Page } from '../../contract/messages.ts';
import { MessageId, RoomId } from '../../ids.ts';
import { normalizeTime, TimeInput } from '../../times.ts';
import type { RequestRow } from '../request-rows.ts';
import { fileFields, success } from './frames.ts';
import type { Frame } from './frames.ts';
import { row } from './speaker.ts';

const fields = {
  room_id: RoomId,
  from_time: Type.Optional(TimeInput),
  after_id: Type.Optional(MessageId),
  before_id: Type.Optional(MessageId),
  limit: Type.Optional(Type.Integer({ minimum: 1 })),
  preview: Type.Optional(Type.Boolean()),
};

const page = {
  fields,
  request: ({ room_id, from_time, after_id, before_id, limit = maxPageMessages }: Fields) => ({
    roomId: room_id,
    limit: Math.min(limit, maxPageMessages),
    ...(from_time === undefined ? {} : { from: normalizeTime(from_time) }),
    ...(after_id === undefined ? {} : { after: after_id }),
    ...(before_id === undefined ? {} : { before: before_id }),
  }),
  reply: ({ roomId, messages, hasMore }: Page) =>
    success('messages_list', 'Messages retrieved successfully.', {
      room_id: roomId,
      messages: messages.map(({ id, sender, content, sentAt, file }) => ({
        message_id: id,
        sender_chatid: sender,
        content,
        timestamp: sentAt,
        file: file && fileFields(file),
      })),
      has_more: hasMore,
    }),
};
type Fields = Static<TObject<typeof fields>>;

const ofMembers = row(readHistory, page);
const ofAnybody = row(browseHistory, page);

/** `get_messages`: for members, and with `preview` for whoever may look into the room. */
export const historyRequest: RequestRow<Frame> = {
  ...ofMembers,
  decode: (body, action) => (body['preview'] === true ? ofAnybody : ofMembers).decode(body, action),
};
