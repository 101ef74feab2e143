import { openDatabase, runService } from '@parley/service-kit';
import { createAccess } from './access.ts';
import { createHistory } from './history.ts';
import { createSends } from './sends.ts';
import { createReceiptStore } from './receipt-store.ts';
import { createReceipts } from './receipts.ts';
import { messagesService } from './service.ts';
import { settings } from './settings.ts';
import { createMessageStore } from './store.ts';

await runService('messages', settings, async ({ config, log, bus, health, closing }) => {
  const { databaseUrl, databaseOwnerUrl } = config;
  const { databaseConnections: connections, requestTimeoutMs: timeoutMs } = config;
  const migrations = new URL('migrations/', import.meta.url);
  const options = { databaseUrl, databaseOwnerUrl, connections, timeoutMs, log, indexOnly: true };
  const database = closing.use(await openDatabase(options, 'messages', migrations));
  health.require('postgres', () => database.ping());

  const store = createMessageStore(database);
  const access = createAccess({ bus, requestTimeoutMs: timeoutMs });
  const publish = (subject: string, event: object): void => {
    bus.publish(subject, event);
  };
  const sends = createSends({ store, access, publish });
  const receiptStore = createReceiptStore(database);
  const receipts = createReceipts({ store: receiptStore, access, publish });
  const history = createHistory({ store, access });
  closing.use(
    await bus.serve('messages', messagesService({ sends, history, store, receipts, receiptStore })),
  );
});
