import { openBus } from './bus.ts';
import type { Bus } from './bus.ts';
import { Health } from './health.ts';
import { createLog } from './log.ts';
import type { Log } from './log.ts';
import { commonSettings, readSettings, SettingsError } from './settings.ts';
import type { ConfigOf, Settings } from './settings.ts';
import { openTracing } from './tracing.ts';

type CommonConfig = ConfigOf<typeof commonSettings>;

/** What a service is given to start with. */
export interface ServiceParts<Config> {
  config: Config & CommonConfig;
  log: Log;
  bus: Bus;
  health: Health;
  /** Whatever is opened goes in here: last in, first closed. */
  closing: AsyncDisposableStack;
}

/** Beyond the drain time a process is not waited for, in ms. */
const exitGraceMs = 5_000;

/**
 * Runs one service as a process: reads its settings (a bad one ends it with one clear line each), opens the side port
 * and the bus, starts it, and on SIGTERM or SIGINT closes everything in reverse order and exits with 0. With `--check` it ends
 * once the settings are read.
 */
export async function runService<S extends Settings>(
  name: string,
  settings: S,
  start: (parts: ServiceParts<ConfigOf<S>>) => Promise<void>,
): Promise<void> {
  const config = configOrExit(name, settings);
  if (process.argv.includes('--check')) process.exit(0);
  const log = createLog(name, config.logLevel);
  crashLoudly(log);
  const closing = new AsyncDisposableStack();
  const health = new Health();
  closing.use(await health.listen(config.healthHost, config.healthPort, log));
  exitOnSignal({ closing, health, log, drainMs: config.drainMs });
  closing.use(await openTracing(name, config, log));

  const bus = closing.use(await openBus({ ...config, name: `parley-${name}`, log }));
  health.require('nats', () => bus.flush());
  await start({ config, log, bus, health, closing });
  health.started();
  log.info('service started');
}

function configOrExit<S extends Settings>(name: string, settings: S): ConfigOf<S> & CommonConfig {
  try {
    return readSettings({ ...settings, ...commonSettings }, process.env);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    for (const line of error.lines) process.stderr.write(`parley-${name}: bad setting ${line}\n`);
    process.exit(1);
  }
}

/** A state nobody foresaw is left by dying: whoever runs the process starts a clean one. */
function crashLoudly(log: Log): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (err: unknown) => {
      log.fatal({ err }, 'unexpected failure, exiting');
      process.exit(1);
    });
  }
}

function exitOnSignal(parts: {
  closing: AsyncDisposableStack;
  health: Health;
  log: Log;
  drainMs: number;
}): void {
  const { closing, health, log, drainMs } = parts;
  const exit = (signal: NodeJS.Signals): void => {
    log.info({ signal }, 'draining');
    health.draining();
    setTimeout(() => {
      log.error('drain took too long, exiting');
      process.exit(1);
    }, drainMs + exitGraceMs).unref();
    closing.disposeAsync().then(
      () => {
        log.info('drained');
        process.exit(0);
      },
      (err: unknown) => {
        log.error({ err }, 'drain failed');
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', exit);
  process.once('SIGINT', exit);
}
