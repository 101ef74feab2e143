import type { Method, RequestOf } from './contract/method.ts';

/** What a client asks for, in the house's own words: the same whichever dialect it came in. */
export interface Command<M extends Method = Method> {
  method: M;
  request: RequestOf<M>;
  /** The action as the client called it; errors and replies are told in its terms. */
  action: string;
  /** The public room that the request is about, where the client names it: its `roomId` is still to be added. */
  roomName?: string;
  /** The user whom the client says it is. Another than the connection's own is `forbidden`. */
  claimedName: string | undefined;
}
