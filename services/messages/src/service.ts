import {
  acknowledge,
  announceFile,
  beginReading,
  browseHistory,
  commitSends,
  findLastIds,
  listReceipts,
  noteEntry,
  readHistory,
  replay,
} from '@parley/protocol';
import { callerOf, endpoint } from '@parley/service-kit';
import type { Endpoint } from '@parley/service-kit';
import type { History } from './history.ts';
import type { ReceiptStore } from './receipt-store.ts';
import type { Receipts } from './receipts.ts';
import type { Sends } from './sends.ts';
import type { MessageStore } from './store.ts';

export interface MessagesServiceParts {
  sends: Sends;
  history: History;
  store: MessageStore;
  receipts: Receipts;
  receiptStore: ReceiptStore;
}

/** The service's endpoints on the bus. */
export function messagesService(parts: MessagesServiceParts): Endpoint[] {
  const { sends, history, store, receipts, receiptStore } = parts;
  return [
    endpoint(commitSends, async (request, context) => ({
      results: await sends.commit(callerOf(context), request, context.deadline),
    })),
    endpoint(announceFile, (request, { deadline }) => sends.announce(request, deadline)),
    endpoint(readHistory, (request, context) => history.read(callerOf(context), request)),
    endpoint(browseHistory, (request, context) => history.browse(callerOf(context), request)),
    endpoint(replay, (request) => history.replayAfter(request)),
    endpoint(beginReading, ({ roomIds }, context) => receipts.begin(callerOf(context), roomIds)),
    endpoint(noteEntry, async ({ roomId, user }) => ({ lastId: await receiptStore.noteEntry(roomId, user) })),
    endpoint(acknowledge, async ({ acknowledgements }) => {
      await receipts.acknowledge(acknowledgements);
      return {};
    }),
    endpoint(listReceipts, ({ roomId }, context) => receipts.list(callerOf(context), roomId)),
    endpoint(findLastIds, async ({ roomIds }) => ({ lastIds: await store.findLastIds(roomIds) })),
  ];
}
