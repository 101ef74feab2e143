import type { CommandModule } from 'yargs';
import { CliError, exitCodes } from '../../cli-error.ts';
import { jsonOption } from '../../options.ts';
import { Output } from '../../output.ts';
import { epilogue } from '../epilogue.ts';
import { withOperatorBus } from '../with-operator-bus.ts';
import { describeOverview } from './describe-overview.ts';

export const statusCommand: CommandModule = {
  command: 'status',
  describe: 'All instances of all services, and what each gateway holds',
  builder: (command) =>
    command
      .usage(
        '$0 admin status\n\nAsks all instances of all services, by the service discovery of NATS: version, uptime, requests on the bus ' +
          'since the start, errors among them (`internal` and `unavailable`, not refusals), and the mean time of an answer. Of gateways ' +
          'also their connections by dialect, guests, and rooms with somebody in them.\n\nIt fails (1) where a service has no instance.',
      )
      .options(jsonOption)
      .example([
        ['$0 admin status', ''],
        ["$0 admin status --json | jq '[.gateways[].connections | add] | add'", 'all connections of users'],
        ['$0 admin status > /dev/null || page-somebody', 'in a watch of yours'],
      ])
      .epilogue(epilogue),
  handler: ({ json }) =>
    withOperatorBus(async (_ask, bus) => {
      const { readOverview } = await import('./overview.ts');
      const overview = await readOverview(bus);
      if (overview.services.length === 0) {
        throw new CliError('No service of Parley answers.', exitCodes.unreachable, { code: 'unavailable' });
      }
      await new Output(json === true).write(overview, () => describeOverview(overview));
      if (overview.missing.length > 0) {
        const message = `No instance answers of: ${overview.missing.join(', ')}.`;
        throw new CliError(message, undefined, { code: 'unavailable' });
      }
    }),
};
