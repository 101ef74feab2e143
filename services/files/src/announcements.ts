import { announceFile } from '@parley/protocol';
import { createContext, traceparentInHand } from '@parley/service-kit';
import type { Bus, Log } from '@parley/service-kit';
import type { Announcement, FileStore } from './file-store.ts';

export interface AnnouncementsParts {
  store: Pick<FileStore, 'listAnnouncements' | 'forgetAnnouncement'>;
  bus: Pick<Bus, 'call'>;
  log: Log;
  /** Bounds each request. */
  timeoutMs: number;
}

/** Most announcements that are read at once. */
const page = 100;

export type Announcements = ReturnType<typeof createAnnouncements>;

/**
 * Tells rooms of their new files, each as a message of the room, so that it has its place in the room's order and reaches
 * everybody as messages do. Told again after a failure, a file is still announced once.
 */
export function createAnnouncements({ store, bus, log, timeoutMs }: AnnouncementsParts) {
  /** @throws ParleyError `unavailable`; then it is told later. */
  async function tell({ uploadId, roomId, sender, origin, file }: Announcement): Promise<void> {
    const request = { roomId, uploadId, sender, file, ...(origin && { origin }) };
    const result = await bus.call(
      announceFile,
      request,
      createContext(timeoutMs, undefined, traceparentInHand()),
    );
    if ('error' in result)
      log.info({ roomId, uploadId, code: result.error }, 'file not announced, its sender is gone');
    await store.forgetAnnouncement(uploadId, 'error' in result ? undefined : result.sentAt);
  }

  /** Tells what has not been told yet, in the order of listing. @throws ParleyError `unavailable` */
  async function tellAll(): Promise<void> {
    let waiting: Announcement[];
    do {
      waiting = await store.listAnnouncements(page);
      for (const announcement of waiting) await tell(announcement);
    } while (waiting.length === page);
  }

  return { tell, tellAll };
}
