import { openDatabase, runService } from '@parley/service-kit';
import { createAccess } from './access.ts';
import { createHistory } from './history.ts';
import { createSends } from './sends.ts';
import { messagesService } from './service.ts';
import { settings } from './settings.ts';
import { createMessageStore } from './store.ts';

await runService('messages', settings, async ({ config, log, bus, health, closing }) => {
  const { databaseUrl, databaseConnections: connections, requestTimeoutMs: timeoutMs } = config;
  const migrations = new URL('migrations/', import.meta.url);
  const options = { databaseUrl, connections, timeoutMs, log, indexOnly: true };
  const database = closing.use(await openDatabase(options, 'messages', migrations));
  health.require('postgres', () => database.ping());

  const store = createMessageStore(database);
  const access = createAccess(bus);
  const sends = createSends({
    store,
    access,
    publish: (subject, event) => {
      bus.publish(subject, event);
    },
  });
  const history = createHistory({ store, access });
  closing.use(await bus.serve('messages', messagesService({ sends, history, store })));
});
