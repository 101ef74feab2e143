/** The frames that the peers without a protocol of their own speak. */

/** A client's frame: `join` once, then any number of `send`. */
export type ClientFrame = { type: 'join'; user: string; room: string } | { type: 'send'; content: string };

export const joined = JSON.stringify({ type: 'joined' });

export function ackOf(id: number, at: string): string {
  return JSON.stringify({ type: 'ack', at, id });
}

export function messageOf(room: string, sender: string, content: string, id: number, at: string): string {
  return JSON.stringify({ type: 'message', room, sender, content, at, id });
}
