import type { ArgumentsCamelCase, CommandModule } from 'yargs';
import { listAccounts, maxAccountsPage } from '@parley/protocol';
import type { AccountRecord } from '@parley/protocol';
import { jsonOption } from '../../options.ts';
import { Output } from '../../output.ts';
import { epilogue } from '../epilogue.ts';
import { writeTable } from '../../text/table.ts';
import type { Column } from '../../text/table.ts';
import { shortTime } from '../times.ts';
import { withOperatorBus } from '../with-operator-bus.ts';
import type { Ask } from '../with-operator-bus.ts';

const columns: Column<AccountRecord>[] = [
  { title: 'NAME', text: ({ name }) => name },
  { title: 'ROLE', text: ({ role }) => role },
  { title: 'SESSIONS', text: ({ sessions }) => String(sessions), isNumber: true },
  { title: 'SINCE (UTC)', text: ({ createdAt }) => shortTime(createdAt) },
  { title: 'DISABLED (UTC)', text: ({ disabledAt }) => (disabledAt === null ? '' : shortTime(disabledAt)) },
];

export const listCommand: CommandModule<object, { json: boolean }> = {
  command: 'list',
  describe: 'List all accounts',
  builder: (command) =>
    command
      .usage(
        '$0 admin users list\n\nLists all accounts by name: role, open sessions, since when, and since when disabled.',
      )
      .options(jsonOption)
      .example([
        ['$0 admin users list', ''],
        ["$0 admin users list --json | jq -r 'select(.disabledAt).name'", 'those that are disabled'],
      ])
      .epilogue(epilogue),
  handler: (options: ArgumentsCamelCase<{ json: boolean }>) =>
    withOperatorBus((ask) => writeTable(new Output(options.json), columns, pagesOf(ask))),
};

async function* pagesOf(ask: Ask): AsyncGenerator<AccountRecord[], void, void> {
  for (let after: string | undefined, hasMore = true; hasMore;) {
    const page = await ask(listAccounts, { limit: maxAccountsPage, ...(after !== undefined && { after }) });
    yield page.accounts;
    after = page.accounts.at(-1)?.name;
    hasMore = page.hasMore;
  }
}
