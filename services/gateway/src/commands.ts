import {
  closeSession,
  createPublicRoom,
  createRoom,
  downloadFile,
  endUpload,
  enterRoom,
  exitRoom,
  identifyGuest,
  joinAsUser,
  joinRoom,
  leaveAsUser,
  leaveRoom,
  listRooms,
  makeRoom,
  openGuestSession,
  openSession,
  registerAccount,
  renameSelf,
  sendChunk,
  sendMessage,
  showLobby,
  startUpload,
  watchLobby,
} from '@parley/protocol';
import type { Command, Method, ReplyOf, RequestOf } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus, RequestContext } from '@parley/service-kit';
import type { Connection } from './connection/connection.ts';
import { before } from './deadline.ts';
import type { Downloads } from './files/downloads.ts';
import type { Uploads } from './files/uploads.ts';
import type { RoomChannels } from './rooms/room-channels.ts';
import type { SendLanes } from './rooms/send-lanes.ts';
import { authorize, callerFor } from './users/caller.ts';
import type { Sessions } from './users/sessions.ts';
import type { Visitors } from './users/visitors.ts';
import type { Visits } from './users/visits.ts';

/** What a handler may need: a context is made only where something is asked of a service. */
interface Circumstances {
  /** In ms since 1970. */
  deadline: number;
  context: () => RequestContext;
  /** Who the client says it is. */
  claimedName: string | undefined;
  /** Where traces are made: of its frame. */
  traceparent: string | undefined;
}

type Handler = (connection: Connection, request: unknown, circumstances: Circumstances) => Promise<unknown>;

function handler<M extends Method>(
  method: M,
  handle: (
    connection: Connection,
    request: RequestOf<M>,
    circumstances: Circumstances,
  ) => Promise<ReplyOf<M>>,
): [Method, Handler] {
  return [method, handle as Handler];
}

/** What may be asked before a login. */
const openToAll: readonly Method[] = [
  registerAccount,
  openSession,
  openGuestSession,
  identifyGuest,
  enterRoom,
];

export interface CommandsParts {
  bus: Pick<Bus, 'call'>;
  sessions: Sessions;
  visits: Visits;
  visitors: Visitors;
  channels: RoomChannels;
  lanes: SendLanes;
  uploads: Uploads;
  downloads: Downloads;
}

/** Does what a client asks for: what belongs to the connection here, everything else by passing it on. */
export function createCommands({
  bus,
  sessions,
  visits,
  visitors,
  channels,
  lanes,
  uploads,
  downloads,
}: CommandsParts) {
  const own = new Map<Method, Handler>([
    handler(registerAccount, (connection, request, { context }) =>
      sessions.register(connection, request, context()),
    ),
    handler(openSession, (connection, request, { context }) => sessions.open(connection, request, context())),
    handler(openGuestSession, (connection, request, { context }) =>
      visits.logIn(connection, request, context()),
    ),
    handler(closeSession, (connection, _request, { context }) =>
      visitors.has(connection) ? visits.logOut(connection) : sessions.close(connection, context()),
    ),
    handler(sendMessage, async (connection, { roomId, ...message }, circumstances) => {
      const { deadline, context, traceparent } = circumstances;
      const isOutside = visitors.has(connection) && !visitors.isPresent(connection, roomId);
      if (isOutside) throw await visits.whyNotPresent(roomId, context());
      const caller = { ...connection.user, connectionId: connection.id };
      const { id, sentAt, repeated } = await lanes.send(caller, roomId, message, deadline, traceparent);
      // Its own message is the sender's confirmation in some dialects: it must not get lost on the bus.
      // Nor be overtaken by a request to leave that came behind it.
      if (connection.dialect.tellsSenders) {
        channels.noticeLastId(roomId, id);
        const delivered = channels.whenDelivered(connection, roomId, id);
        if (delivered) await before(deadline, delivered).catch(notInTime);
      }
      return { roomId, messageId: id, sentAt, sender: caller.name, repeated };
    }),
    handler(identifyGuest, (connection, request, { context }) =>
      visits.identify(connection, request, context()),
    ),
    handler(renameSelf, (connection, request, { context }) => visits.rename(connection, request, context())),
    handler(enterRoom, (connection, request, { context, claimedName }) =>
      visits.enter(connection, request, claimedName, context()),
    ),
    handler(exitRoom, (connection, request, { context }) => visits.exit(connection, request, context())),
    handler(joinAsUser, (connection, request, { context }) =>
      visitors.has(connection)
        ? visits.join(connection, request, context())
        : bus.call(joinRoom, { roomId: request.roomId }, context()),
    ),
    handler(leaveAsUser, (connection, request, { context }) =>
      visitors.has(connection)
        ? visits.leave(connection, request, context())
        : bus.call(leaveRoom, request, context()),
    ),
    handler(listRooms, (connection, request, { context }) =>
      visitors.has(connection) && request.scope === 'mine'
        ? visits.listRooms(connection, context())
        : bus.call(listRooms, request, context()),
    ),
    handler(makeRoom, ({ address }, request, { context }) =>
      bus.call(createRoom, { ...request, address }, context()),
    ),
    handler(createPublicRoom, (connection, request, { context }) =>
      visits.createRoom(connection, request, context()),
    ),
    handler(showLobby, (connection) => visits.showLobby(connection)),
    handler(watchLobby, (connection, request, { context }) =>
      visits.watchLobby(connection, request, context()),
    ),
    handler(startUpload, (connection, request, { context }) => uploads.start(connection, request, context())),
    handler(sendChunk, (connection, request, { context }) =>
      uploads.sendChunk(connection, request, context()),
    ),
    handler(endUpload, (connection, request, { traceparent }) =>
      uploads.end(connection, request, traceparent),
    ),
    handler(downloadFile, (connection, request, { context }) =>
      downloads.send(connection, request, context()),
    ),
  ]);

  /** The request with the id of the room that the client named. Those in hand need not be asked for. */
  async function withRoomId({ request, roomName }: Command, context: () => RequestContext) {
    const name = roomName!;
    const roomId = channels.findOpenByName(name) ?? (await channels.findByName(name, context));
    return { ...(request as object), roomId };
  }

  /**
   * @param deadline In ms since 1970.
   * @param traceparent Where traces are made: of the client's frame.
   * @throws ParleyError whatever the command's method may answer; `not_authenticated`, `forbidden`.
   */
  return async function execute(
    connection: Connection,
    command: Command,
    deadline: number,
    traceparent?: string,
  ): Promise<unknown> {
    const { method, roomName, claimedName } = command;
    const caller = callerFor(connection);
    if (!openToAll.includes(method)) authorize(caller, claimedName);
    // All that one frame asks for has one request id.
    let made: RequestContext | undefined;
    const context = (): RequestContext => (made ??= { ...createContext(0, caller, traceparent), deadline });
    const request = roomName === undefined ? command.request : await withRoomId(command, context);
    const handle = own.get(method);
    return handle
      ? handle(connection, request, { deadline, context, claimedName, traceparent })
      : bus.call(method, request, context());
  };
}

/** History is away: the message comes when it is back. */
function notInTime(): void {
  // The send itself is committed.
}
