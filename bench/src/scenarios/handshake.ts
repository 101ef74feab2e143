import { letterFrequencies } from '@parley/protocol';
import { readHostFacts } from '../machine.ts';
import type { Scenario } from '../scenario.ts';
import { number } from '../table.ts';

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
export const handshake: Scenario<{ megabytes: number }> = {
  name: 'handshake',
  summary: 'the character counts of the integrity handshake, in MB of UTF-8 a second',
  peers: [],
  plots: ['megabytesPerSecond'],
  options: { megabytes: { doc: 'how much is counted of each text', standard: '500', min: 1, max: 100_000 } },
  headline: ({ megabytes }) => `Handshake: ${number(megabytes)} MB of each text`,

  measure({ options }) {
    const parts = Object.entries(texts).map(([name, text]) => ({
      name,
      values: { megabytesPerSecond: speedOf(text, options.megabytes * megabyte) },
    }));
    const audit = { text: 'nothing to compare', problems: [] };
    return Promise.resolve({ facts: readHostFacts(), parts, audit });
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
