import type { MessagesCommitted, SentMessage } from '@parley/protocol';
import { tracer } from '@parley/service-kit';
import type { Span } from '@parley/service-kit';

/** Of the messages that came and have not gone out yet. What never does, as it came twice, is forgotten with its message. */
const underWay = new WeakMap<SentMessage, Span>();

/** Messages of a room came over the bus: of those that belong to traces the delivery begins. */
export function noteArrival({ roomId, messages, traceparents }: MessagesCommitted): void {
  if (!tracer || !traceparents) return;
  for (const [index, message] of messages.entries()) {
    const parent = traceparents[index];
    if (!parent) continue;
    const attributes = { 'parley.room_id': roomId, 'parley.message_id': message.id };
    const span = tracer.start({ name: 'deliver', kind: 'consumer', parent, attributes });
    if (span) underWay.set(message, span);
  }
}

/** Messages went out. @param connections To how many, those included that take them at a pace of their own. */
export function noteDelivery(messages: readonly SentMessage[], connections: number): void {
  if (!tracer) return;
  for (const message of messages) {
    const span = underWay.get(message);
    span?.note({ 'parley.connections': connections });
    span?.end();
  }
}
