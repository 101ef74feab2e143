import type { FileFacts, Room } from '@parley/client';
import { Observable } from './observable.ts';
import { isAborted, wordsOf } from './words.ts';

/** Where a download is; `idle` before and after. */
export type Download =
  | { status: 'idle' }
  | { status: 'running'; bytes: number; total: number }
  | { status: 'failed'; failure: string };

/** A picture of a room. */
export type Preview = { status: 'loading' } | { status: 'ready'; url: string } | { status: 'none' };

/** Types that every browser shows and that can't run anything. */
const pictureTypes = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif'];
/** Larger pictures are shown on demand only, in bytes. */
const maxPreviewBytes = 5 * 1024 * 1024;
/** How many pictures are kept. */
const keptPreviews = 40;

/** Whether it is shown without being asked for. */
export function isPicture({ type, size }: FileFacts): boolean {
  return pictureTypes.includes(type) && size <= maxPreviewBytes;
}

/** Files on their way to this computer. */
export class Downloads {
  readonly #running = new Map<string, { state: Observable<Download>; stop: AbortController }>();
  readonly #previews = new Map<string, Observable<Preview>>();

  stateOf(room: Room, name: string): Observable<Download> {
    return this.#entry(keyOf(room, name)).state;
  }

  /** Gets the file and hands it to the browser, which puts it where the user wants it. */
  async save(room: Room, name: string): Promise<void> {
    const entry = this.#entry(keyOf(room, name));
    if (entry.state.value.status === 'running') return;
    entry.stop = new AbortController();
    try {
      const bytes = await read(room, name, 'application/octet-stream', entry.stop.signal, (progress) => {
        entry.state.set({ status: 'running', ...progress });
      });
      handOver(bytes, name);
      entry.state.set({ status: 'idle' });
    } catch (error) {
      entry.state.set(isAborted(error) ? { status: 'idle' } : { status: 'failed', failure: wordsOf(error) });
    }
  }

  stop(room: Room, name: string): void {
    this.#entry(keyOf(room, name)).stop.abort();
  }

  /** The picture, loaded when it is first asked for. */
  previewOf(room: Room, file: FileFacts): Observable<Preview> {
    const key = `${keyOf(room, file.name)}/${file.sha256}`;
    const known = this.#previews.get(key);
    if (known) {
      // The last one that was looked at is the last one to be forgotten.
      this.#previews.delete(key);
      this.#previews.set(key, known);
      return known;
    }
    const preview = new Observable<Preview>({ status: 'loading' });
    this.#previews.set(key, preview);
    this.#forgetOldest();
    void read(room, file.name, file.type).then(
      (bytes) => {
        preview.set({ status: 'ready', url: URL.createObjectURL(bytes) });
      },
      () => {
        preview.set({ status: 'none' });
        this.#previews.delete(key);
      },
    );
    return preview;
  }

  /** Ends everything and forgets it. */
  close(): void {
    for (const { stop } of this.#running.values()) stop.abort();
    for (const preview of this.#previews.values()) release(preview);
    this.#previews.clear();
  }

  #entry(key: string): { state: Observable<Download>; stop: AbortController } {
    const known = this.#running.get(key);
    if (known) return known;
    const entry = { state: new Observable<Download>({ status: 'idle' }), stop: new AbortController() };
    this.#running.set(key, entry);
    return entry;
  }

  #forgetOldest(): void {
    if (this.#previews.size <= keptPreviews) return;
    const [oldest] = this.#previews;
    if (!oldest) return;
    this.#previews.delete(oldest[0]);
    release(oldest[1]);
  }
}

async function read(
  room: Room,
  name: string,
  type: string,
  signal?: AbortSignal,
  onProgress?: (progress: { bytes: number; total: number }) => void,
): Promise<Blob> {
  const { stream } = await room.download(name, { signal, onProgress });
  return new Response(stream, { headers: { 'content-type': type } }).blob();
}

function handOver(bytes: Blob, name: string): void {
  const url = URL.createObjectURL(bytes);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has its hands on it from the click on.
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 60_000);
}

function release(preview: Observable<Preview>): void {
  if (preview.value.status === 'ready') URL.revokeObjectURL(preview.value.url);
  preview.set({ status: 'none' });
}

function keyOf(room: Room, name: string): string {
  return `${room.id}/${name}`;
}
