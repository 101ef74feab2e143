import { browseHistory, maxPageMessages, normalizeTime } from '@parley/protocol';
import type { Message } from '@parley/protocol';
import { Type } from '@parley/schema';
import type { Static } from '@parley/schema';
import type { HttpApp, HttpOptions } from './app.ts';
import { described, limitField, MessageIdField, RoomIdField, TimeField, UserNameField } from './fields.ts';
import { nextPage } from './links.ts';
import { bearer } from './open-api.ts';
import { pacePages } from './paced-pages.ts';
import { documented, errors, linkHeader } from './replies.ts';

const standardLimit = 100;

const Query = Type.Object({
  from: Type.Optional(described(TimeField, { description: 'Messages from that time on, the oldest first.' })),
  after: Type.Optional(described(MessageIdField, { description: 'Messages that follow this one.' })),
  before: Type.Optional(
    described(MessageIdField, {
      description: 'The newest messages before this one; not with `from` or `after`.',
    }),
  ),
  limit: Type.Optional(limitField(standardLimit, maxPageMessages)),
});

const History = Type.Object({
  roomId: RoomIdField,
  messages: Type.Array(
    Type.Object({
      sender: UserNameField,
      message: Type.String(),
      timestamp: Type.String({ format: 'date-time' }),
      id: MessageIdField,
    }),
  ),
});

export function historyRoutes(app: HttpApp, options: HttpOptions): void {
  const { bus } = options;
  app.get(
    '/api/chat-history/:roomId',
    {
      ...pacePages(options),
      schema: {
        operationId: 'readHistory',
        summary: 'Read the messages of a room',
        description:
          'Of a public room for everybody, of a private one for its members. In the order of their ids; the newest, unless ' +
          'the query says otherwise. The next page is the one before it, or with `from` and `after` the one that follows.',
        tags: ['Messages'],
        security: [bearer],
        params: Type.Object({ roomId: RoomIdField }),
        querystring: Query,
        response: {
          200: documented(History, 'The messages.', linkHeader),
          ...errors('not_authenticated', ...browseHistory.errors),
        },
      },
    },
    async ({ params: { roomId }, query, busContext }, reply): Promise<Static<typeof History>> => {
      const { from, after, before } = query;
      const limit = Math.min(query.limit ?? standardLimit, maxPageMessages);
      const page = {
        roomId,
        limit,
        ...(from !== undefined && { from: normalizeTime(from) }),
        ...(after !== undefined && { after }),
        ...(before !== undefined && { before }),
      };
      const { messages, hasMore } = await bus.call(browseHistory, page, busContext);
      const isForward = from !== undefined || after !== undefined;
      const edge = messages.at(isForward ? -1 : 0);
      if (hasMore && edge) {
        const next = isForward ? { after: edge.id } : { before: edge.id };
        reply.header('link', nextPage(`/api/chat-history/${encodeURIComponent(roomId)}`, { ...next, limit }));
      }
      return { roomId, messages: messages.map(toldMessage) };
    },
  );
}

function toldMessage({ id, sender, content, sentAt }: Message) {
  return { sender, message: content, timestamp: sentAt, id };
}
