import type { ReplyOf, reportPresence, RequestOf } from '@parley/protocol';
import type { RoomEvents } from './events.ts';
import type { LobbyNews } from './lobby-news.ts';
import type { PresenceNews, PresenceStore } from './presence.ts';

export interface AttendanceParts {
  presence: PresenceStore;
  events: RoomEvents;
  lobbyNews: Pick<LobbyNews, 'changed'>;
}

export type Attendance = ReturnType<typeof createAttendance>;

/** Who is present where, as gateways report it: counted, and told to the rooms. */
export function createAttendance({ presence, events, lobbyNews }: AttendanceParts) {
  async function report(request: RequestOf<typeof reportPresence>): Promise<ReplyOf<typeof reportPresence>> {
    const news = await presence.report(request.gatewayId, request.present, request.absent);
    if (!news) return { known: false, version: 0, counts: [] };
    tell(news);
    const counts = news.rooms.map(({ roomId, users }) => ({ roomId, users }));
    return { known: true, version: news.version, counts };
  }

  /** Those whom only dead gateways had in sight have left. */
  async function sweep(): Promise<void> {
    for (let news = await presence.sweep(); news; news = await presence.sweep()) tell(news);
  }

  function tell({ rooms }: PresenceNews): void {
    const changed = rooms.filter(({ joined, left }) => joined.length + left.length > 0);
    for (const { roomId, joined, left } of changed) events.presenceChanged({ roomId, joined, left });
    lobbyNews.changed(changed.filter(({ isListed }) => isListed).map(({ roomId }) => roomId));
  }

  return { report, sweep };
}
