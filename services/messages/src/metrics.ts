import { metrics, Reading, sizeBuckets } from '@parley/service-kit';
import { Counter, Histogram } from 'prom-client';

const registers = [metrics];

export const sendsWaiting = new Reading(
  'parley_messages_sends_waiting',
  'Requests with messages that wait until the commit under way is done.',
);

export const commitMessages = new Histogram({
  name: 'parley_messages_commit_messages',
  help: 'Messages that were committed together.',
  buckets: sizeBuckets,
  registers,
});

export const repeatedSends = new Counter({
  name: 'parley_messages_repeats_total',
  help: 'Messages that were sent again and had been stored before.',
  registers,
});
