import { commitSends, findLastIds, readHistory, replay } from '@parley/protocol';
import { callerOf, endpoint } from '@parley/service-kit';
import type { Endpoint } from '@parley/service-kit';
import type { History } from './history.ts';
import type { Sends } from './sends.ts';
import type { MessageStore } from './store.ts';

/** The service's endpoints on the bus. */
export function messagesService(parts: { sends: Sends; history: History; store: MessageStore }): Endpoint[] {
  const { sends, history, store } = parts;
  return [
    endpoint(commitSends, async (request, { deadline }) => ({
      results: await sends.commit(request.roomId, request.sends, deadline),
    })),
    endpoint(readHistory, (request, context) => history.read(callerOf(context), request)),
    endpoint(replay, (request) => history.replayAfter(request)),
    endpoint(findLastIds, async ({ roomIds }) => ({ lastIds: await store.findLastIds(roomIds) })),
  ];
}
