import type { JsonObject } from '../dialect.ts';

/** A frame of the server: the form of everything that the dialect tells. */
export interface Frame {
  action: string;
  payload: JsonObject;
}

export function joined(room: string): Frame {
  return { action: 'joined', payload: { room } };
}

export function left(room: string | undefined): Frame {
  return { action: 'left', payload: { room } };
}

export function renamed(username: string): Frame {
  return { action: 'renamed', payload: { username } };
}

/** A message as it is told to those in a room. */
interface ToldMessage {
  sender: string;
  roomName?: string | undefined;
  content: string;
  id: number;
  sentAt: string;
  clientMessageId?: string | undefined;
}

export function message({ sender, roomName, content, id, sentAt, clientMessageId }: ToldMessage): Frame {
  return {
    action: 'message',
    payload: { from: sender, room: roomName, message: content, id, timestamp: sentAt, clientMessageId },
  };
}
