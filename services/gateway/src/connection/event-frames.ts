import type { ClientEvent, Dialect } from '@parley/protocol';
import { textFrame } from './websocket-frame.ts';

/** The events in one dialect, as finished frames behind one another; empty where the dialect has none for them. */
export function eventFrames(dialect: Dialect, events: readonly ClientEvent[]): Buffer {
  const frames = events.flatMap((event) => dialect.encodeEvent(event).map(textFrame));
  return frames.length === 1 ? frames[0]! : Buffer.concat(frames);
}
