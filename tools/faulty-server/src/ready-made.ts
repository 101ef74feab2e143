import { readRule } from './rules.ts';
import type { Rule } from './rules.ts';

const always = { times: 'always' } as const;

/** What `--fault NAME` stands for: each a bad day that goes on until the server is stopped. */
const rules = {
  drop: { fault: 'drop', action: 'receive_message', chance: 0.05, ...always },
  'drop-replies': { fault: 'drop', action: 'ack', chance: 0.05, ...always },
  'drop-requests': { fault: 'drop', direction: 'to-server', chance: 0.02, after: 10, ...always },
  delay: { fault: 'delay', chance: 0.1, ms: 300, ...always },
  duplicate: { fault: 'duplicate', action: 'receive_message', chance: 0.1, ...always },
  reorder: { fault: 'reorder', action: 'receive_message', chance: 0.1, ...always },
  cut: { fault: 'cut', chance: 0.02, ...always },
  'cut-sends': {
    fault: 'cut',
    direction: 'to-server',
    action: 'send_message',
    chance: 0.05,
    passes: true,
    ...always,
  },
  drain: { fault: 'drain', chance: 0.01, ...always },
  restart: { fault: 'close', code: 1012, chance: 0.01, ...always },
  'slow-reader': { fault: 'close', code: 1013, chance: 0.01, ...always },
  stall: { fault: 'stall', chance: 0.01, ms: 3_000, ...always },
  silence: { fault: 'stall', after: 50, ...always },
  refuse: { fault: 'refuse', chance: 0.5, ...always },
  ignore: { fault: 'ignore', chance: 0.3, ms: 5_000, ...always },
  'taken-over': { fault: 'close', code: 4001, after: 50, ...always },
  'session-ended': { fault: 'close', code: 4003, after: 50, ...always },
};

export const readyMade: ReadonlyMap<string, Rule> = new Map(
  Object.entries(rules).map(([name, rule]) => [name, readRule(rule)]),
);
