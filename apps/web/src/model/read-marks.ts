import { loadReadMarks, saveReadMarks } from './saved.ts';

/** Up to where the user has read each room; kept in this browser. */
export class ReadMarks {
  readonly #name: string;
  readonly #marks: Map<string, number>;

  constructor(name: string) {
    this.#name = name;
    this.#marks = loadReadMarks(name);
  }

  /**
   * How many messages are unread. A room seen for the first time counts as read up to there.
   * @param lastId Undefined while it is not known.
   */
  unreadOf(roomId: string, lastId: number | undefined): number {
    if (lastId === undefined) return 0;
    const mark = this.#marks.get(roomId);
    if (mark === undefined) this.#set(roomId, lastId);
    return mark === undefined ? 0 : Math.max(0, lastId - mark);
  }

  /** The last id that was read; undefined where the room was never seen. */
  of(roomId: string): number | undefined {
    return this.#marks.get(roomId);
  }

  /** Whether that was news. */
  read(roomId: string, messageId: number | undefined): boolean {
    if (messageId === undefined) return false;
    if ((this.#marks.get(roomId) ?? -1) >= messageId) return false;
    this.#set(roomId, messageId);
    return true;
  }

  #set(roomId: string, messageId: number): void {
    this.#marks.set(roomId, messageId);
    saveReadMarks(this.#name, this.#marks);
  }
}
