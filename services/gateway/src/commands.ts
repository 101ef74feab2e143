import { closeSession, openSession, ParleyError, registerAccount, sendMessage } from '@parley/protocol';
import type { Caller, Command, Method, ReplyOf, RequestOf } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus, RequestContext } from '@parley/service-kit';
import type { Connection } from './connection.ts';
import type { SendLanes } from './send-lanes.ts';
import type { Sessions } from './sessions.ts';

/** What a handler may need: a context is made only where something is asked of a service. */
interface Circumstances {
  /** In ms since 1970. */
  deadline: number;
  context: () => RequestContext;
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
const openToAll: readonly Method[] = [registerAccount, openSession];

export interface CommandsParts {
  bus: Pick<Bus, 'call'>;
  sessions: Sessions;
  lanes: SendLanes;
}

/** Does what a client asks for: what belongs to the connection here, everything else by passing it on. */
export function createCommands({ bus, sessions, lanes }: CommandsParts) {
  const own = new Map<Method, Handler>([
    handler(registerAccount, (connection, request, { context }) =>
      sessions.register(connection, request, context()),
    ),
    handler(openSession, (connection, request, { context }) => sessions.open(connection, request, context())),
    handler(closeSession, (connection, _request, { context }) => sessions.close(connection, context())),
    handler(sendMessage, async ({ id: origin, session }, { roomId, ...message }, { deadline }) => {
      const sender = { userId: session!.userId, name: session!.name };
      const { id, sentAt } = await lanes.send(roomId, { ...message, sender, origin }, deadline);
      return { roomId, messageId: id, sentAt };
    }),
  ]);

  /**
   * @param deadline In ms since 1970.
   * @throws ParleyError whatever the command's method may answer; `not_authenticated`, `forbidden`.
   */
  return async function execute(
    connection: Connection,
    command: Command,
    deadline: number,
  ): Promise<unknown> {
    const caller = callerOf(connection);
    if (!openToAll.includes(command.method)) authorize(caller, command);
    const context = (): RequestContext => ({ ...createContext(0, caller), deadline });
    const handle = own.get(command.method);
    return handle
      ? handle(connection, command.request, { deadline, context })
      : bus.call(command.method, command.request, context());
  };
}

function callerOf({ id, session }: Connection): Caller | undefined {
  return session && { ...session, connectionId: id };
}

function authorize(caller: Caller | undefined, { claimedName }: Command): void {
  if (!caller) throw new ParleyError('not_authenticated');
  if (claimedName === undefined || claimedName === caller.name) return;
  const message = `You are logged in as ${caller.name} and can only speak for yourself.`;
  throw new ParleyError('forbidden', {}, { message });
}
