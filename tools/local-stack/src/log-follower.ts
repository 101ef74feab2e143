import { open, type FileHandle } from 'node:fs/promises';
import { prettyFactory } from 'pino-pretty';

/** How often the files are looked at, in ms. */
const lookEveryMs = 200;
const chunkBytes = 65_536;

interface Followed {
  file: FileHandle;
  position: number;
  /** The beginning of a line whose end is not written yet. */
  rest: Buffer;
}

/** Shows the lines of log files to a person, as they are written: JSON of pino in words, everything else as it is. */
export class LogFollower implements AsyncDisposable {
  readonly #write: (text: string) => void;
  readonly #format: (line: string) => string;
  readonly #followed = new Set<Followed>();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();

  /** @param colorize Whether what hears it knows the colours of a terminal. */
  constructor(write: (text: string) => void, { colorize }: { colorize: boolean }) {
    this.#write = write;
    this.#format = prettyFactory({
      colorize,
      translateTime: 'SYS:HH:MM:ss',
      ignore: 'pid,hostname,service',
      messageFormat: '{service}: {msg}',
      singleLine: true,
    });
    this.#timer = setInterval(() => {
      void this.look();
    }, lookEveryMs);
  }

  /** From now on shows what is in the file, and what is written to it. */
  async follow(path: string): Promise<void> {
    this.#followed.add({ file: await open(path), position: 0, rest: Buffer.alloc(0) });
  }

  /** Shows what was written up to now. */
  look(): Promise<void> {
    return (this.#looking = this.#looking.then(async () => {
      for (const each of this.#followed) await this.#readOn(each);
    }));
  }

  async #readOn(followed: Followed): Promise<void> {
    const buffer = Buffer.alloc(chunkBytes);
    for (;;) {
      const { bytesRead } = await followed.file.read(buffer, 0, chunkBytes, followed.position);
      if (bytesRead === 0) return;
      followed.position += bytesRead;
      const text = Buffer.concat([followed.rest, buffer.subarray(0, bytesRead)]);
      const end = text.lastIndexOf('\n') + 1;
      followed.rest = text.subarray(end);
      for (const line of text.subarray(0, end).toString().split('\n').slice(0, -1)) this.#show(line);
    }
  }

  #show(line: string): void {
    const text = this.#format(line);
    this.#write(text.endsWith('\n') ? text : `${text}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.look();
    const followed = [...this.#followed];
    this.#followed.clear();
    await Promise.all(followed.map(({ file }) => file.close()));
  }
}
