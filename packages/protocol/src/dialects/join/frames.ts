import type { RoomId } from '../../ids.ts';

/** A frame of the server: flat, its fields beside its action. */
export interface Frame {
  action: string;
  [field: string]: unknown;
}

export function left(roomId: RoomId): Frame {
  return { action: 'left', roomId };
}

/** A message as it is told to those in a room. */
interface ToldMessage {
  roomId: RoomId;
  sender: string;
  content: string;
  sentAt: string;
  id: number;
  clientMessageId?: string | undefined;
}

export function newMessage({ roomId, sender, content, sentAt, id, clientMessageId }: ToldMessage): Frame {
  return {
    action: 'new-message',
    roomId,
    sender,
    message: content,
    timestamp: sentAt,
    id,
    clientMessageId,
  };
}
