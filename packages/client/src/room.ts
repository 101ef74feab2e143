import type { Core } from './core.ts';
import type { DownloadOptions, FileDownload } from './downloads.ts';
import { fileOf, list, messageOf, number, text, time } from './frames.ts';
import type {
  FileFacts,
  FileInfo,
  HistoryPage,
  Member,
  Message,
  Receipt,
  RequestOptions,
  UploadSource,
  Visibility,
} from './models.ts';
import type { RoomFacts } from './directory.ts';
import type { UploadOptions } from './uploads.ts';

export interface SendOptions extends RequestOptions {
  /**
   * 1 to 128 characters: sent again with the same one, by this user to this room, a message is confirmed again and stored once.
   * Default: a random one.
   */
  clientMessageId?: string;
}

export interface MessagesOptions extends RequestOptions {
  /** The last message not to be given; 0 for all there ever were. Default: the last one known now. */
  after?: number;
}

export interface HistoryOptions extends RequestOptions {
  /** What goes before this message: the newest of them. */
  before?: number;
  /** What follows this message: the oldest of them. */
  after?: number;
  /** What was sent from this time on: the oldest of them. */
  from?: Date;
  /** Most messages of the page, at most 1,000. Default 1,000. */
  limit?: number;
}

/** A room, whether or not the user is in it. Made by `client.room(id)`, one for each id. */
export class Room {
  readonly id: string;
  readonly #core: Core;
  readonly #facts: RoomFacts;

  constructor(core: Core, facts: RoomFacts) {
    this.id = facts.id;
    this.#core = core;
    this.#facts = facts;
  }

  /** Empty until it is known. */
  get name(): string {
    return this.#facts.name;
  }

  get visibility(): Visibility | undefined {
    return this.#facts.visibility;
  }

  /** Null where nobody owns it; undefined where that is not known. */
  get owner(): string | null | undefined {
    return this.#facts.owner;
  }

  /** Those present, as far as it is known. Kept up to date of public rooms, after `watchPublicRooms`. */
  get users(): number | undefined {
    return this.#facts.users;
  }

  /** Whether the user owns it. */
  get isMine(): boolean {
    const { user } = this.#core;
    return user !== undefined && this.#facts.owner === user.name;
  }

  get isIn(): boolean {
    return this.#facts.feed !== undefined;
  }

  /**
   * The id of the last message known, 0 where there is none yet; undefined until that is known, which a `rooms` event tells, and of
   * rooms that the user is not in.
   */
  get lastId(): number | undefined {
    return this.#facts.feed?.position;
  }

  /**
   * The room's messages from now on, or from `after` on: in order, without gap or duplicate, over any number of reconnects. A slow
   * reader misses nothing and costs no memory. It ends with its signal, with the client, or when the user is in the room no more.
   * @throws ParleyClientError From `next`: `not_in_room`; `taken_over` or `session_ended` where the client can't go on.
   */
  messages({ after, signal }: MessagesOptions = {}): AsyncIterableIterator<Message> {
    return this.#core.streams.open(this.#facts, after, signal);
  }

  /**
   * Sends one message; resolves once it is committed. It is repeated over any number of reconnects, and settles once. What is sent
   * to one room keeps its order.
   * @param content 1 to 8,192 characters (code points).
   * @throws ParleyClientError `not_in_room`, `room_not_found`, `invalid_field`, `aborted`.
   */
  send(content: string, options: SendOptions = {}): Promise<Message> {
    return this.#core.sends.send(this.id, content, options);
  }

  /**
   * A page of messages in the order of their ids: by default the newest. Public rooms can be read from outside.
   * @throws ParleyClientError `not_in_room`, `room_not_found`.
   */
  async history({ before, after, from, limit, signal }: HistoryOptions = {}): Promise<HistoryPage> {
    const data = await this.#core.ask(
      'get_messages',
      {
        room_id: this.id,
        before_id: before,
        after_id: after,
        from_time: from?.toISOString(),
        limit,
        ...(!this.isIn && { preview: true }),
      },
      { signal },
    );
    return {
      messages: list(data, 'messages').map((line) => messageOf(this.id, line)),
      hasMore: data['has_more'] === true,
    };
  }

  /** How far the members have acknowledged the messages. @throws ParleyClientError `not_in_room`, `room_not_found`. */
  async receipts(options: RequestOptions = {}): Promise<Receipt[]> {
    const data = await this.#core.ask('get_receipts', { room_id: this.id }, options);
    return list(data, 'receipts').map((receipt) => ({
      name: text(receipt, 'chatid'),
      messageId: number(receipt, 'message_id'),
      at: time(receipt, 'at'),
    }));
  }

  /** Enters a public room, or one that the user is a member of. @throws ParleyClientError `not_in_room`, `room_not_found`. */
  async join(options: RequestOptions = {}): Promise<void> {
    await this.#core.join(this.id, options);
  }

  /** @throws ParleyClientError `forbidden` for the owner; `not_in_room`, `room_not_found`. */
  async leave(options: RequestOptions = {}): Promise<void> {
    await this.#core.ask('leave_room', { room_id: this.id }, options);
  }

  /** Owner only. @param newName 1 to 64 characters. @throws ParleyClientError `not_owner`, `room_exists`, `forbidden`. */
  async renameTo(newName: string, options: RequestOptions = {}): Promise<void> {
    const request = { room_id: this.id, new_room_name: newName };
    await this.#core.ask('rename_room', request, options);
  }

  /** Owner only; with its messages and files. @throws ParleyClientError `not_owner`, `cannot_delete_default`. */
  async delete(options: RequestOptions = {}): Promise<void> {
    await this.#core.ask('delete_room', { room_id: this.id }, options);
  }

  /** All members, by name. @throws ParleyClientError `not_in_room`, `room_not_found`. */
  async members(options: RequestOptions = {}): Promise<Member[]> {
    const members = await this.#readPages('get_room_users', 'users', 'chatid', options);
    return members.map((member) => ({
      name: text(member, 'chatid'),
      isOnline: member['online'] === true,
      role: member['role'] === 'owner' ? 'owner' : 'member',
    }));
  }

  /** Owner only. @throws ParleyClientError `user_not_found`, `not_owner`. */
  async add(name: string, options: RequestOptions = {}): Promise<void> {
    await this.#core.ask('add_user_to_room', { room_id: this.id, user_to_add: normalized(name) }, options);
  }

  /** Owner only. @throws ParleyClientError `user_not_found`, `not_owner`, `forbidden` for the owner. */
  async remove(name: string, options: RequestOptions = {}): Promise<void> {
    await this.#core.ask(
      'remove_user_from_room',
      { room_id: this.id, user_to_remove: normalized(name) },
      options,
    );
  }

  /** The room's files, by name. @throws ParleyClientError `not_in_room`, `room_not_found`. */
  async files(options: RequestOptions = {}): Promise<FileInfo[]> {
    const files = await this.#readPages('file_list_req', 'files', 'file_path', options);
    return files.map((file) => ({
      ...fileOf(file),
      sender: text(file, 'sender_chatid'),
      sentAt: time(file, 'timestamp'),
    }));
  }

  /**
   * Sends a file into the room, over as many connections as it takes; resolves once it is listed, which also makes it a message of
   * the room. It replaces a file of the same name. The source is read a piece at a time.
   * @throws ParleyClientError `too_large`, `invalid_field` for an impossible name, `not_in_room`, `aborted`; what the source throws.
   */
  upload(source: Blob | UploadSource, options: UploadOptions = {}): Promise<FileFacts> {
    return this.#core.upload(this.id, source, options);
  }

  /**
   * Begins to get a file; resolves when its bytes begin to come. The stream goes on over reconnects. A reader that is slow is waited for;
   * meanwhile up to 33 MB wait in memory.
   * @throws ParleyClientError `file_not_found`, `not_in_room`, `aborted`; from the stream also `file_changed`.
   */
  download(name: string, options: DownloadOptions = {}): Promise<FileDownload> {
    return this.#core.download(this.id, name, options);
  }

  /** All pages of a list, each asked for after the last name of the one before. */
  async #readPages(
    action: 'get_room_users' | 'file_list_req',
    field: string,
    nameField: string,
    options: RequestOptions,
  ) {
    const all: ReturnType<typeof list>[number][] = [];
    for (;;) {
      const last = all.at(-1);
      const after = last && text(last, nameField);
      const data = await this.#core.ask(action, { room_id: this.id, after }, options);
      const page = list(data, field);
      all.push(...page);
      if (data['has_more'] !== true || page.length === 0) return all;
    }
  }
}

/** As the server keeps names, which its answers repeat. */
function normalized(name: string): string {
  return name.trim().normalize('NFC');
}
