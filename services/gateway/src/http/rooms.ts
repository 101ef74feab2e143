import { createRoom, joinRoom, listReachable, maxReachablePage, normalizeName } from '@parley/protocol';
import { Type } from '@parley/schema';
import type { Static } from '@parley/schema';
import { authorize } from '../users/caller.ts';
import type { HttpApp, HttpOptions } from './app.ts';
import { limitField, OwnNameField, RoomIdField, RoomNameField, SuccessField } from './fields.ts';
import { nextPage } from './links.ts';
import { bearer } from './open-api.ts';
import { bodyErrors, documented, errors, linkHeader } from './replies.ts';

const tags = ['Rooms'];

const Created = Type.Object({ status: SuccessField, roomId: RoomIdField });
const Rooms = Type.Array(Type.Object({ roomId: RoomIdField, roomName: RoomNameField }));
const Joined = Type.Object({
  status: SuccessField,
  message: Type.String({ examples: ['Joined room TechTalk'] }),
});

export function roomRoutes(app: HttpApp, { bus, addressOf }: HttpOptions): void {
  app.post(
    '/api/create-room',
    {
      schema: {
        operationId: 'createRoom',
        summary: 'Make a public room',
        tags,
        security: [bearer],
        body: Type.Object({ roomName: RoomNameField, creator: OwnNameField }),
        response: {
          200: documented(Created, 'The room; the caller is its owner and a member.'),
          ...bodyErrors('not_authenticated', 'forbidden', 'room_exists'),
        },
      },
    },
    async ({ body, raw, busContext }): Promise<Static<typeof Created>> => {
      authorize(busContext.caller, normalizeName(body.creator));
      const name = normalizeName(body.roomName);
      const room = { name, visibility: 'public' as const, participants: [], address: addressOf(raw) };
      const { roomId } = await bus.call(createRoom, room, busContext);
      return { status: 'success', roomId };
    },
  );

  app.get(
    '/api/rooms',
    {
      schema: {
        operationId: 'listRooms',
        summary: 'List rooms',
        description: 'Public rooms and those the caller is a member of, in the order of their ids.',
        tags,
        security: [bearer],
        querystring: Type.Object({
          after: Type.Optional(RoomIdField),
          limit: Type.Optional(limitField(maxReachablePage, maxReachablePage)),
        }),
        response: { 200: documented(Rooms, 'The rooms.', linkHeader), ...errors('not_authenticated') },
      },
    },
    async ({ query, busContext }, reply): Promise<Static<typeof Rooms>> => {
      const limit = Math.min(query.limit ?? maxReachablePage, maxReachablePage);
      const page = { limit, ...(query.after !== undefined && { after: query.after }) };
      const { rooms, hasMore } = await bus.call(listReachable, page, busContext);
      const last = rooms.at(-1);
      if (hasMore && last) reply.header('link', nextPage('/api/rooms', { after: last.roomId, limit }));
      return rooms.map(({ roomId, name }) => ({ roomId, roomName: name }));
    },
  );

  app.post(
    '/api/join-room',
    {
      schema: {
        operationId: 'joinRoom',
        summary: 'Become a member of a room',
        tags,
        security: [bearer],
        body: Type.Object({ roomId: RoomIdField, username: OwnNameField }),
        response: {
          200: documented(Joined, 'The caller is a member.'),
          ...bodyErrors('not_authenticated', ...joinRoom.errors),
        },
      },
    },
    async ({ body, busContext }): Promise<Static<typeof Joined>> => {
      authorize(busContext.caller, normalizeName(body.username));
      const { room } = await bus.call(joinRoom, { roomId: body.roomId }, busContext);
      return { status: 'success', message: `Joined room ${room.name}` };
    },
  );
}
