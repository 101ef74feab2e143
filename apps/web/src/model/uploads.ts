import type { Room } from '@parley/client';
import { freeName, pastedName } from './file-names.ts';
import { isAborted, wordsOf } from './words.ts';

/** A file on its way into a room. */
export interface Upload {
  key: string;
  name: string;
  /** In bytes. */
  size: number;
  /** Of these, confirmed. */
  bytes: number;
  status: 'waiting' | 'uploading' | 'failed' | 'stopped';
  /** With `failed`: why. */
  failure?: string;
}

interface Job {
  upload: Upload;
  file: File;
  stop: AbortController;
}

/** A room's uploads, one behind the other. */
export class Uploads {
  readonly #room: Room;
  readonly #changed: (uploads: readonly Upload[]) => void;
  #jobs: readonly Job[] = [];
  #isRunning = false;

  constructor(room: Room, changed: (uploads: readonly Upload[]) => void) {
    this.#room = room;
    this.#changed = changed;
  }

  /** Uploads them under names that are free in the room, as a file would take the place of another of its name. */
  async add(files: readonly File[], options: { arePasted?: boolean } = {}): Promise<void> {
    const taken = await this.#takenNames();
    for (const file of files) {
      const name = freeName(options.arePasted ? pastedName(file, new Date()) : file.name, taken);
      taken.add(name);
      const upload = {
        key: crypto.randomUUID(),
        name,
        size: file.size,
        bytes: 0,
        status: 'waiting' as const,
      };
      this.#set([...this.#jobs, { upload, file, stop: new AbortController() }]);
    }
    await this.#run();
  }

  /** Breaks it off; what is uploaded already counts when it is resumed. */
  stop(key: string): void {
    this.#jobs.find(({ upload }) => upload.key === key)?.stop.abort();
    this.#patch(key, { status: 'stopped' });
  }

  async resume(key: string): Promise<void> {
    this.#set(
      this.#jobs.map((job) =>
        job.upload.key === key
          ? { ...job, upload: { ...job.upload, status: 'waiting' }, stop: new AbortController() }
          : job,
      ),
    );
    await this.#run();
  }

  discard(key: string): void {
    this.#jobs.find(({ upload }) => upload.key === key)?.stop.abort();
    this.#set(this.#jobs.filter(({ upload }) => upload.key !== key));
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (let job = this.#next(); job; job = this.#next()) await this.#upload(job);
    this.#isRunning = false;
  }

  #next(): Job | undefined {
    return this.#jobs.find(({ upload }) => upload.status === 'waiting');
  }

  async #upload({ upload: { key, name }, file, stop }: Job): Promise<void> {
    this.#patch(key, { status: 'uploading' });
    try {
      await this.#room.upload(file, {
        name,
        type: file.type || 'application/octet-stream',
        signal: stop.signal,
        onProgress: ({ bytes }) => {
          this.#patch(key, { bytes });
        },
      });
      this.discard(key);
    } catch (error) {
      if (!isAborted(error)) this.#patch(key, { status: 'failed', failure: wordsOf(error) });
    }
  }

  async #takenNames(): Promise<Set<string>> {
    const names = this.#jobs.map(({ upload }) => upload.name);
    try {
      return new Set([...names, ...(await this.#room.files()).map(({ name }) => name)]);
    } catch {
      // Uploading will tell what is the matter.
      return new Set(names);
    }
  }

  #patch(key: string, changes: Partial<Upload>): void {
    this.#set(
      this.#jobs.map((job) =>
        job.upload.key === key ? { ...job, upload: { ...job.upload, ...changes } } : job,
      ),
    );
  }

  #set(jobs: readonly Job[]): void {
    this.#jobs = jobs;
    this.#changed(jobs.map(({ upload }) => upload));
  }
}
