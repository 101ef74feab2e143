import cliProgress from 'cli-progress';
import type { Options, Params } from 'cli-progress';
import { toPlainLine } from '../text/plain-text.ts';
import { formatBytes } from '../text/quantities.ts';

const barColumns = 24;
const nameColumns = 24;

/** How far a file has come. */
export interface Progress {
  bytes: number;
  total: number;
}

/** A bar for the terminal that ends with it. */
export interface ProgressBar extends Disposable {
  show(progress: Progress): void;
}

/** One line for a file under way: its name, a bar, percent and sizes; fits 80 columns. */
export function progressLine(name: string, { bytes, total }: Progress): string {
  const share = total === 0 ? 1 : bytes / total;
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  const bar = cliProgress.Format.BarFormat(share, {
    barsize: barColumns,
    barGlue: '',
    barCompleteString: '█'.repeat(barColumns),
    barIncompleteString: '░'.repeat(barColumns),
  });
  return `${shorten(name)} ${bar} ${percent}  ${formatBytes(bytes)} of ${formatBytes(total)}`;
}

/** A bar on stderr where that is a terminal, and nothing elsewhere. */
export function openProgressBar(name: string, stream: NodeJS.WriteStream = process.stderr): ProgressBar {
  if (!stream.isTTY) return { show: () => {}, [Symbol.dispose]: () => {} };
  const format = (_options: Options, { value, total }: Params) => progressLine(name, { bytes: value, total });
  const bar = new cliProgress.SingleBar({ stream, format, hideCursor: true });
  let isStarted = false;
  return {
    show({ bytes, total }) {
      if (!isStarted) bar.start(total, bytes);
      else bar.update(bytes);
      isStarted = true;
    },
    [Symbol.dispose]: () => {
      bar.stop();
    },
  };
}

function shorten(name: string): string {
  const characters = Array.from(toPlainLine(name));
  if (characters.length <= nameColumns) return characters.join('').padEnd(nameColumns);
  return `${characters.slice(0, nameColumns - 1).join('')}…`;
}
