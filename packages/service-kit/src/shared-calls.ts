import { headers as createHeaders } from '@nats-io/nats-core';
import { Caller, maxPageBytes } from '@parley/protocol';
import type { Method } from '@parley/protocol';
import { Type } from '@parley/schema';
import type { RequestContext } from './context.ts';
import type { Payload } from './payload.ts';
import type { ToldError } from './told-error.ts';

/*
 * Calls of one method that many make at once share a message, and so do their answers: a message costs each process it
 * passes more than making a small request. The envelope: `[{context, request}, ...]` there, under the header, and
 * `[{reply} | {error} | {}, ...]` back, in the same order; `{}` stands for a reply that was too much for one message, which is asked for
 * again. Where a method must not be asked twice (`Method.maxReplyBytes`), only so many share a message that it does not come to that.
 */

/** How many calls the message holds. Without it, it is one ordinary call. */
export const sharedCallsHeader = 'Parley-Calls';

/** Most calls that share a message. */
export const maxSharedCalls = 100;

export const SharedCalls = Type.Array(
  Type.Object({
    context: Type.Object({
      requestId: Type.String({ maxLength: 256 }),
      traceparent: Type.Optional(Type.String({ maxLength: 256 })),
      deadline: Type.Number(),
      caller: Type.Optional(Caller),
    }),
    request: Type.Unknown(),
  }),
  { minItems: 1, maxItems: maxSharedCalls },
);

/** What became of one of them. */
export interface SharedAnswer {
  reply?: unknown;
  error?: ToldError;
}

export interface SharedCall {
  request: unknown;
  context: RequestContext;
}

/** As many calls as share one message, and the message. */
export interface SharedCallsPart {
  calls: SharedCall[];
  payload: Payload;
}

/** What a reply takes in the message beside itself: `{"reply":}` and a comma. */
const bytesAroundReply = 11;

/** The calls in as few messages as they fit; one that fits none with others is alone. */
export function packedTogether(method: Method, calls: readonly SharedCall[]): SharedCallsPart[] {
  const parts: { calls: SharedCall[]; texts: string[]; bytes: number; replyBytes: number }[] = [];
  for (const call of calls) {
    const text = JSON.stringify(call);
    const bytes = Buffer.byteLength(text);
    const replyBytes = method.maxReplyBytes ? method.maxReplyBytes(call.request) + bytesAroundReply : 0;
    const last = parts.at(-1);
    if (last && last.bytes + bytes <= maxPageBytes && last.replyBytes + replyBytes <= maxPageBytes) {
      last.calls.push(call);
      last.texts.push(text);
      last.bytes += bytes;
      last.replyBytes += replyBytes;
    } else {
      parts.push({ calls: [call], texts: [text], bytes, replyBytes });
    }
  }
  return parts.map((part) => {
    const headers = createHeaders();
    headers.set(sharedCallsHeader, String(part.calls.length));
    return { calls: part.calls, payload: { data: `[${part.texts.join(',')}]`, headers } };
  });
}

/** The answers as one text; what does not fit a message any more is left for its caller to ask again. */
export function joinAnswers(answers: readonly SharedAnswer[]): string {
  let left = maxPageBytes;
  const texts = answers.map((answer) => {
    const text = JSON.stringify(answer);
    left -= Buffer.byteLength(text);
    return left < 0 ? '{}' : text;
  });
  return `[${texts.join(',')}]`;
}
