import { integer, oneOf, runService } from './index.ts';

/** A small service to be run as a process: it says what it does, and does what its setting asks for. */
const settings = {
  act: oneOf('ACT', ['well', 'reject', 'throw', 'refuse-to-start', 'hang'], {
    default: 'well',
    doc: 'What to do.',
  }),
  cups: integer('CUPS', { default: 1, min: 1, doc: 'How many cups.' }),
};

await runService('small', settings, async ({ config, log, closing }) => {
  closing.defer(() => {
    log.info('the first opened is closed');
  });
  closing.defer(async () => {
    if (config.act === 'hang') await new Promise(() => {});
    const { status } = await fetch(`http://127.0.0.1:${config.healthPort}/readyz`);
    log.info({ status }, 'the last opened is closed');
  });
  if (config.act === 'refuse-to-start') throw new Error('there is no tea');
  if (config.act === 'reject') void Promise.reject(new Error('nobody awaits this'));
  if (config.act === 'throw') {
    setTimeout(() => {
      throw new Error('nobody catches this');
    });
  }
  await Promise.resolve();
});
