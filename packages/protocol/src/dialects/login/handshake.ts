import type { Command } from '../../command.ts';
import { sendMessage } from '../../contract/gateway.ts';
import { ParleyError } from '../../errors.ts';
import type { HandshakeFrames } from '../dialect.ts';
import { fileRequests } from './files.ts';
import { success } from './frames.ts';
import type { Frame } from './frames.ts';

/** The server's frames of the integrity handshake (seeds 000 and 001). */
export function handshakeFrames(
  encodeReply: (command: Command, reply: unknown) => Frame | undefined,
): HandshakeFrames {
  return {
    // Files have checks of their own.
    covers: ({ action }) => !Object.hasOwn(fileRequests, action),

    count: (transactionId, frequencies, action) =>
      JSON.stringify({
        action: 'character_count',
        data: { transaction_id: transactionId, letter_frequencies: frequencies, original_action: action },
      } satisfies Frame),

    encodeReply(command, reply, transactionId) {
      const usual = encodeReply(command, reply);
      const closing = success('ack', 'Action processed successfully.', { transaction_id: transactionId });
      if (!usual) return [JSON.stringify(closing)];
      const withId = JSON.stringify({ ...usual, data: { ...usual.data, transaction_id: transactionId } });
      // A message is confirmed by an `ack` anyway: it closes the exchange too, under the exchange's id.
      return command.method === sendMessage ? [withId] : [withId, JSON.stringify(closing)];
    },

    mismatch(transactionId) {
      const { code, message } = new ParleyError('handshake_mismatch');
      const data = { transaction_id: transactionId };
      return JSON.stringify({ action: 'ack', status: 'error', message, code, data } satisfies Frame);
    },
  };
}
