import { IdentifyClient, JoinClient, LoginClient, password } from '@parley/test-kit';
import type { IdentifyFrame, JoinFrame, WireClient } from '@parley/test-kit';

/** A message as any dialect tells it. */
export interface Told {
  id: number;
  sender: string;
  text: string;
}

/** One connection of a user who is in a room. */
export interface Line {
  /** Resolves with the close code. */
  readonly ended: Promise<number>;
  /** False where it was refused, or the connection ended before it was confirmed. */
  say(text: string): Promise<boolean>;
  leave(): void;
}

/**
 * Connects, enters the room and tells all that follows the last message known, without a seam to what is said from then on.
 * @throws Error where the server is away or refuses.
 */
export type OpenLine = (name: string, lastId: number, hear: (told: Told) => void) => Promise<Line>;

export interface Room {
  id: string;
  name: string;
}

/** Of accounts, which have to be there; they resume their session. */
export function loginLines(url: string, room: Room): OpenLine {
  let sessionKey: string | undefined;
  return async (name, lastId, hear) => {
    const client = new LoginClient(url);
    return opening(client, async () => {
      await client.opened();
      await client
        .logIn(name, sessionKey === undefined ? { password } : { session_key: sessionKey })
        .catch((refused: unknown) => {
          sessionKey = undefined;
          throw refused;
        });
      sessionKey = client.sessionKey;
      await client.ask('join_room', { room_id: room.id });
      const toTold = ({ message_id, sender_chatid, content }: any): Told => ({
        id: message_id,
        sender: sender_chatid,
        text: content,
      });
      await catchUp(lastId, {
        hear,
        listen: (hearLive) => {
          listen(client, 'receive_message', ({ data }) => {
            hearLive(toTold(data));
          });
        },
        readAfter: async (after_id) => {
          const page = await client.ask('get_messages', { room_id: room.id, after_id });
          return { messages: page.messages.map(toTold), hasMore: page.has_more };
        },
      });
      return async (content) => {
        const request = { room_id: room.id, content, client_message_id: content };
        return (await client.request('send_message', request)).status === 'success';
      };
    });
  };
}

/** Of guests, who come back as new ones under the same name. */
export function identifyLines(url: string, room: Room): OpenLine {
  return async (name, lastId, hear) => {
    const client = new IdentifyClient(url);
    return opening(client, async () => {
      await client.opened();
      await client.identify(name);
      await client.ask('joinRoom', { room: room.name });
      const toTold = ({ id, from, message }: any): Told => ({ id, sender: from, text: message });
      await catchUp(lastId, {
        hear,
        listen: (hearLive) => {
          listen(client, 'message', ({ payload }) => {
            if (payload.room === room.name) hearLive(toTold(payload));
          });
        },
        readAfter: async (after) => {
          const page = await client.ask('history', { room: room.name, after });
          return { messages: page.messages.map(toTold), hasMore: page.has_more };
        },
      });
      return async (message) => {
        const isAnswer = ({ action, payload }: IdentifyFrame) =>
          (action === 'message' && payload.from === name && payload.message === message) ||
          (action === 'error' && payload.originalAction === 'sendMessage');
        const answer = client.upcoming('the confirmation', isAnswer);
        client.send({
          action: 'sendMessage',
          payload: { room: room.name, message, clientMessageId: message },
        });
        return (await answer).action === 'message';
      };
    });
  };
}

/** Of accounts with a token. The server itself goes on after the last message known. */
export function joinLines(url: string, room: Room, token: string): OpenLine {
  return async (name, lastId, hear) => {
    const client = new JoinClient(`${url}/chat`, { headers: { authorization: `Bearer ${token}` } });
    listen(client, 'new-message', ({ id, sender, message }) => {
      hear({ id, sender, text: message });
    });
    return opening(client, async () => {
      await client.opened();
      await client.join(name, room.id, { lastId });
      return async (message) => {
        const isAnswer = (frame: JoinFrame) =>
          (frame.action === 'new-message' && frame.sender === name && frame.message === message) ||
          (frame.action === 'error' && frame.originalAction === 'send-message');
        const answer = client.upcoming('the confirmation', isAnswer);
        client.send({ action: 'send-message', roomId: room.id, message, clientMessageId: message });
        return (await answer).action === 'new-message';
      };
    });
  };
}

/** Makes a line of a client that comes in; one that ends on the way is not waited for. */
async function opening<Frame extends { action: string }>(
  client: WireClient<Frame>,
  enter: () => Promise<(text: string) => Promise<boolean>>,
): Promise<Line> {
  const isOver = client.closed.then(() => undefined);
  try {
    const say = await Promise.race([enter(), isOver]);
    if (!say) throw new Error('the connection ended');
    return {
      ended: client.closed,
      say: async (text) => (await Promise.race([say(text).catch(() => false), isOver])) ?? false,
      leave: () => {
        client.socket.terminate();
      },
    };
  } catch (error) {
    client.socket.terminate();
    throw error;
  }
}

function listen<Frame extends { action: string }>(
  { socket }: WireClient<Frame>,
  action: string,
  heard: (frame: Frame) => void,
): void {
  socket.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as Frame;
    if (frame.action === action) heard(frame);
  });
}

/** Tells what was missed and then what is said live; what comes both ways is told once. */
async function catchUp(
  lastId: number,
  {
    hear,
    listen: listenLive,
    readAfter,
  }: {
    hear: (told: Told) => void;
    listen: (hear: (told: Told) => void) => void;
    readAfter: (id: number) => Promise<{ messages: Told[]; hasMore: boolean }>;
  },
): Promise<void> {
  const early: Told[] = [];
  let hearLive = (told: Told): void => void early.push(told);
  listenLive((told) => {
    hearLive(told);
  });
  let position = lastId;
  for (let hasMore = true; hasMore;) {
    const page = await readAfter(position);
    page.messages.forEach(hear);
    position = page.messages.at(-1)?.id ?? position;
    hasMore = page.hasMore;
  }
  early.filter(({ id }) => id > position).forEach(hear);
  hearLive = hear;
}
