import type { Argv, ArgumentsCamelCase } from 'yargs';
import { normalizeName, ParleyError } from '@parley/protocol';
import type { Method, ReplyOf, RequestOf, UserName } from '@parley/protocol';
import { CliError } from '../../cli-error.ts';
import { jsonOption } from '../../options.ts';
import { Output } from '../../output.ts';
import { epilogue } from '../epilogue.ts';
import { withOperatorBus } from '../with-operator-bus.ts';
import type { Ask } from '../with-operator-bus.ts';

/** What every command takes that is about one account. */
export interface AccountOptions {
  name: string;
  json: boolean;
}

/** The help and the options of a command about one account. */
export function aboutAccount(command: Argv, verb: string, effect: string): Argv<AccountOptions> {
  return command
    .usage(`$0 admin users ${verb} NAME\n\n${effect}`)
    .positional('name', { type: 'string', demandOption: true, describe: 'The name of the account' })
    .options(jsonOption)
    .epilogue(epilogue);
}

/** Asks about one account. @throws CliError where there is none of that name. */
export type AskOfAccount = <M extends Method>(method: M, request: RequestOf<M>) => Promise<ReplyOf<M>>;

/** Does something with the account of the options. */
export function withAccount(
  options: ArgumentsCamelCase<AccountOptions>,
  work: (account: { name: UserName; ask: AskOfAccount; output: Output }) => Promise<void>,
): Promise<void> {
  const name = normalizeName(options.name);
  return withOperatorBus((ask) => {
    return work({ name, ask: namingMissing(ask, name), output: new Output(options.json) });
  });
}

function namingMissing(ask: Ask, name: UserName): AskOfAccount {
  return async (method, request) => {
    try {
      return await ask(method, request);
    } catch (error) {
      if (!(error instanceof ParleyError) || error.code !== 'user_not_found') throw error;
      throw new CliError(`There is no account called ${name}.`, undefined, {
        code: error.code,
        cause: error,
      });
    }
  };
}
