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
  /** Whether its name was compared with those in the room. */
  isNameFree: boolean;
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
    const jobs = files.map((file) => {
      const name = options.arePasted ? pastedName(file, new Date()) : file.name;
      const upload = {
        key: crypto.randomUUID(),
        name,
        size: file.size,
        bytes: 0,
        status: 'waiting' as const,
      };
      return { upload, file, stop: new AbortController(), isNameFree: false };
    });
    this.#set([...this.#jobs, ...jobs]);
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

  async #upload(job: Job): Promise<void> {
    const { key } = job.upload;
    const { signal } = job.stop;
    this.#patch(key, { status: 'uploading' });
    try {
      const name = job.isNameFree ? job.upload.name : await this.#takeName(job);
      await this.#room.upload(job.file, {
        name,
        type: job.file.type || 'application/octet-stream',
        signal,
        onProgress: ({ bytes }) => {
          this.#patch(key, { bytes });
        },
      });
      this.discard(key);
    } catch (error) {
      if (!isAborted(error)) this.#patch(key, { status: 'failed', failure: wordsOf(error) });
    }
  }

  /** Finds a name for the upload that no file and no other upload has. */
  async #takeName({ upload: { key, name }, stop }: Job): Promise<string> {
    const files = await this.#room.files({ signal: stop.signal });
    const others = this.#jobs.filter(({ upload, isNameFree }) => isNameFree && upload.key !== key);
    const taken = new Set([...files.map((file) => file.name), ...others.map(({ upload }) => upload.name)]);
    const free = freeName(name, taken);
    this.#set(
      this.#jobs.map((job) =>
        job.upload.key === key ? { ...job, upload: { ...job.upload, name: free }, isNameFree: true } : job,
      ),
    );
    return free;
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
