import { parseArgs } from 'node:util';
import { letterFrequencies } from '@parley/protocol';
import { hostText, readHostFacts } from './machine.ts';
import { wholeNumber } from './options.ts';
import type { Scenario } from './scenario.ts';
import { number, table } from './table.ts';

const megabyte = 1_000_000;
/** Counted before the clock runs, so that the compiler has seen it. */
const warmUpBytes = 20 * megabyte;

/** What is counted, by what it is made of: the text of one frame of about 64 kB. */
const texts: Record<string, string> = {
  ASCII: frameOf('The quick brown fox jumps over the lazy dog. '),
  'Latin, accents': frameOf('Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich. '),
  'Cyrillic, emoji': frameOf('Съешь ещё этих мягких французских булок 🥖 да выпей чаю 🍵. '),
};

function frameOf(sentence: string): string {
  const content = sentence.repeat(Math.ceil(64_000 / Buffer.byteLength(sentence)));
  return JSON.stringify({ action: 'send_message', data: { room_id: 'room', content } });
}

/** How fast characters are counted for the integrity handshake, in one process. */
export const handshake: Scenario = {
  summary: 'the character counts of the integrity handshake, in MB of UTF-8 a second',
  usage: '  --megabytes 500   how much is counted of each text',

  run(args) {
    const { values } = parseArgs({ args, options: { megabytes: { type: 'string', default: '500' } } });
    const bytes = wholeNumber('megabytes', values.megabytes, 1, 100_000) * megabyte;
    const rows = Object.entries(texts).map(([name, text]) => [name, number(speedOf(text, bytes))]);
    console.log(`${hostText(readHostFacts())}\n\n${table([['', 'MB/s'], ...rows])}`);
    return Promise.resolve(true);
  },
};

/** In MB a second. */
function speedOf(text: string, bytes: number): number {
  const textBytes = Buffer.byteLength(text);
  const count = (rounds: number): void => {
    for (let round = 0; round < rounds; round += 1) letterFrequencies(text);
  };
  count(Math.ceil(warmUpBytes / textBytes));
  const rounds = Math.ceil(bytes / textBytes);
  const start = performance.now();
  count(rounds);
  return (rounds * textBytes) / 1_000 / (performance.now() - start);
}
