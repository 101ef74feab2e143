import { expectLike, expectThat } from '../expect.ts';
import { text } from '../fields.ts';
import type { Fields } from '../fields.ts';
import { asObject, countCharacters, frequenciesIn, isSameCount } from '../letter-frequencies.ts';
import { dataOf } from './login-wire.ts';
import type { LoginWire } from './login-wire.ts';
import type { Got } from './wire.ts';

/** Sends a request under the handshake and answers the exchange's id, once the server has counted it right. @throws Failure */
export async function offer(wire: LoginWire, action: string, data: object): Promise<string> {
  const sent = JSON.stringify({ action, data });
  wire.send(sent);
  return checkCount(await wire.event('character_count'), action, sent);
}

/** @returns The exchange's id. @throws Failure where the count is not that of what was sent. */
export function checkCount(count: Got, action: string, sent: string): string {
  expectLike('the count', count.frame, { data: { original_action: action } });
  expectThat(
    `the server's count of ${sent.slice(0, 200)} is wrong`,
    isSameCount(frequenciesIn(count.text), countCharacters(sent)),
  );
  return text(dataOf(count.frame), 'transaction_id');
}

export function confirm(wire: LoginWire, transaction_id: string, isRight = true): void {
  wire.send({ action: 'confirm_count', data: { transaction_id, confirm: isRight } });
}

/** Does a request as it is done under the handshake; answers its reply or error. @throws Failure */
export async function exchange(wire: LoginWire, action: string, data: object): Promise<Fields> {
  const transaction_id = await offer(wire, action, data);
  confirm(wire, transaction_id);
  const { frame } = await wire.next(
    `the answer to \`${action}\``,
    (got) => got.action !== 'character_count' && dataOf(got.frame)['transaction_id'] === transaction_id,
  );
  if (frame['status'] === 'success' && action !== 'send_message') await closing(wire, transaction_id);
  return frame;
}

/** The `ack` that ends an exchange. @throws Failure */
export function closing(wire: LoginWire, transaction_id: string): Promise<Got> {
  return wire.next(
    'the `ack` of the exchange',
    (got) => got.action === 'ack' && dataOf(got.frame)['transaction_id'] === transaction_id,
  );
}

/** Tells the server how a frame of its was counted; answers whether it finds that right. @throws Failure */
export async function count(wire: LoginWire, got: Got, countedText = got.text): Promise<boolean> {
  const { transaction_id } = dataOf(got.frame);
  const letter_frequencies = asObject(countCharacters(countedText));
  wire.send({ action: 'character_count', data: { transaction_id, letter_frequencies } });
  const answer = await wire.next(
    '`confirm_count`',
    ({ action, frame }) => action === 'confirm_count' && dataOf(frame)['transaction_id'] === transaction_id,
  );
  return dataOf(answer.frame)['confirm'] === true;
}

export function acknowledge(wire: LoginWire, got: Got): void {
  const { transaction_id } = dataOf(got.frame);
  wire.send({ action: 'ack', data: { transaction_id } });
}
