import { Type } from '@parley/schema';
import { LetterFrequencies } from '../letter-frequencies.ts';
import { storableText } from '../text.ts';
import { method } from './method.ts';

const TransactionId = storableText(1, 128);

/*
 * The client's part of the integrity handshake, asked of the gateway that holds the connection (protocol.md, "Integrity
 * handshake"). Where nothing waits for the answer under that id, it is `invalid_field`.
 */

/** The client has compared the server's count of a request with its own. What follows is the request's own reply. */
export const confirmRequest = method('gateway.confirmRequest', {
  request: Type.Object({ transactionId: TransactionId, confirm: Type.Boolean() }),
  reply: Type.Undefined(),
  errors: ['invalid_field'],
});

/** The client has counted a frame that it got. */
export const countEvent = method('gateway.countEvent', {
  request: Type.Object({ transactionId: TransactionId, letterFrequencies: LetterFrequencies }),
  reply: Type.Object({ transactionId: TransactionId, confirm: Type.Boolean() }),
  errors: ['invalid_field'],
});

/** The client has a frame for good: its delivery receipt. It is not answered. */
export const acknowledgeEvent = method('gateway.acknowledgeEvent', {
  request: Type.Object({ transactionId: TransactionId }),
  reply: Type.Undefined(),
  errors: ['invalid_field'],
});
