import { ParleyError } from '@parley/protocol';
import { headers as createHeaders } from '@nats-io/nats-core';
import type { Msg, MsgHdrs } from '@nats-io/nats-core';

/** How many bytes follow the JSON text. Without it all of the payload is JSON, so that people with a NATS tool can ask too. */
const bytesHeader = 'Parley-Bytes';

export const noBytes = new Uint8Array(0);

const decoder = new TextDecoder();

/** A request or a reply as it travels: its JSON text and, as they are, the bytes that belong to it. */
export interface Payload {
  data: string | Uint8Array;
  headers: MsgHdrs | undefined;
}

/** @param headers Others that go along; they are added to. */
export function packed(value: unknown, bytes: Uint8Array, headers?: MsgHdrs): Payload {
  const json = JSON.stringify(value);
  if (bytes.length === 0) return { data: json, headers };
  const withBytes = headers ?? createHeaders();
  withBytes.set(bytesHeader, String(bytes.length));
  return { data: Buffer.concat([Buffer.from(json), bytes]), headers: withBytes };
}

/** @throws ParleyError `invalid_json` where it is none. The bytes are a view of the message, not a copy. */
export function unpacked(message: Msg): { value: unknown; bytes: Uint8Array } {
  const { data, headers } = message;
  const jsonLength = data.length - Number(headers?.get(bytesHeader) ?? 0);
  try {
    const value: unknown = JSON.parse(decoder.decode(data.subarray(0, jsonLength)));
    return { value, bytes: data.subarray(jsonLength) };
  } catch (cause) {
    throw new ParleyError('invalid_json', {}, { cause });
  }
}
