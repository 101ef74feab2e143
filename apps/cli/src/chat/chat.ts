import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Client, ConnectionState, Room } from '@parley/client';
import { CliError } from '../cli-error.ts';
import { openFile } from '../files/path-source.ts';
import { freePath, localName, save } from '../files/save.ts';
import { verified } from '../files/verified.ts';
import { findRoom } from '../rooms.ts';
import { count, formatBytes } from '../text/quantities.ts';
import { chatHelp, readChatLine } from './chat-command.ts';
import type { ChatCommand } from './chat-command.ts';
import { nameOf } from './desk.ts';
import type { Desk } from './desk.ts';
import { Transfers } from './transfers.ts';

export interface ChatParts {
  client: Client;
  desk: Desk;
  /** What the person types. */
  lines: AsyncIterable<string>;
  /** Ends the chat at once. */
  signal: AbortSignal;
}

type Handlers = {
  [Type in ChatCommand['type']]: (command: ChatCommand & { type: Type }) => unknown;
};

/** One person's chat: what they type is done, what happens is shown. */
export class Chat {
  readonly #client: Client;
  readonly #desk: Desk;
  readonly #lines: AsyncIterable<string>;
  readonly #signal: AbortSignal;
  readonly #transfers = new Transfers(() => {
    this.#showStatus();
  });
  /** Sends and transfers that are not done. */
  readonly #underWay = new Set<Promise<void>>();
  #sending = 0;
  /** Empty while it is there. */
  #lostConnection = '';
  #hasQuit = false;

  constructor({ client, desk, lines, signal }: ChatParts) {
    this.#client = client;
    this.#desk = desk;
    this.#lines = lines;
    this.#signal = signal;
  }

  /**
   * Lasts until the person leaves.
   * @param wanted The room to begin with; else one of theirs, and for a guest `default`.
   */
  async run(wanted: string | undefined): Promise<void> {
    this.#listen();
    const { user, rooms } = this.#client;
    this.#desk.notice(`You are ${user?.name ?? ''}. What you type is said; /help lists the commands.`);
    const first = wanted ?? rooms[0]?.id ?? (user?.isGuest === true ? 'default' : undefined);
    if (first === undefined)
      this.#desk.notice('You are in no room yet: /rooms lists the public ones, /join ROOM enters one.');
    else await this.#attempt(() => this.#go(first));
    this.#showStatus();
    for await (const line of this.#lines) {
      await this.#attempt(() => this.#do(line));
      if (this.#hasQuit) break;
    }
    await this.#finish();
  }

  async #do(line: string): Promise<void> {
    const command = readChatLine(line);
    if (!command) return;
    if (command.type !== 'say') this.#desk.show({ type: 'typed', text: line });
    const handle = this.#handlers[command.type] as (command: ChatCommand) => unknown;
    await handle(command);
  }

  readonly #handlers: Handlers = {
    say: ({ text }) => {
      this.#say(text);
    },
    go: ({ room }) => this.#go(room),
    create: async ({ name, visibility }) => {
      const room = await this.#client.createRoom(name, { visibility, signal: this.#signal });
      await this.#desk.look(room, this.#signal);
    },
    leave: () => this.#desk.openRoom.leave(this.#options),
    delete: () => this.#desk.openRoom.delete(this.#options),
    rename: ({ argument }) => this.#desk.openRoom.renameTo(argument, this.#options),
    add: async ({ argument }) => {
      await this.#desk.openRoom.add(argument, this.#options);
      this.#desk.notice(`${argument} was added.`);
    },
    remove: async ({ argument }) => {
      await this.#desk.openRoom.remove(argument, this.#options);
      this.#desk.notice(`${argument} was removed.`);
    },
    nick: async ({ argument }) => {
      await this.#client.rename(argument, this.#options);
      this.#desk.notice(`You are ${this.#client.user?.name ?? argument} now.`);
    },
    members: () => this.#listMembers(),
    rooms: () => this.#listRooms(),
    files: () => this.#listFiles(),
    history: ({ messages }) => this.#desk.lookBack(messages, this.#signal),
    upload: ({ argument }) => {
      this.#upload(this.#desk.openRoom, argument);
    },
    download: ({ argument }) => {
      this.#download(this.#desk.openRoom, argument);
    },
    cancel: () => {
      if (this.#transfers.size === 0) this.#desk.notice('Nothing is being uploaded or downloaded.');
      this.#transfers.cancelAll();
    },
    help: () => {
      this.#desk.notice(`Commands:\n${chatHelp()}`);
    },
    quit: () => {
      this.#hasQuit = true;
    },
  };

  get #options(): { signal: AbortSignal } {
    return { signal: this.#signal };
  }

  /** Shows what goes wrong; what the end of the chat interrupts does not. */
  async #attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (!this.#signal.aborted) this.#desk.fail(error);
    }
  }

  /** Does something while the person goes on typing. */
  #begin(action: () => Promise<void>): void {
    const done: Promise<void> = this.#attempt(action).finally(() => {
      this.#underWay.delete(done);
    });
    this.#underWay.add(done);
  }

  async #go(wanted: string): Promise<void> {
    const room = await findRoom(this.#client, wanted, this.#signal);
    if (!room.isIn) await room.join(this.#options);
    await this.#desk.look(room, this.#signal);
  }

  #say(text: string): void {
    const room = this.#desk.openRoom;
    this.#sending += 1;
    this.#begin(async () => {
      try {
        await room.send(text, this.#options);
      } catch (error) {
        this.#desk.notice(`Not sent: ${text}`);
        throw error;
      } finally {
        this.#sending -= 1;
        this.#showStatus();
      }
    });
    this.#showStatus();
  }

  #upload(room: Room, path: string): void {
    this.#begin(async () => {
      await using file = await openFile(resolve(path));
      await this.#transfers.run(file.source.name, this.#signal, (options) =>
        room.upload(file.source, options),
      );
    });
  }

  #download(room: Room, name: string): void {
    this.#begin(async () => {
      const wanted = await freePath(resolve(localName(name)));
      const listed = (await room.files(this.#options)).find((file) => file.name === name);
      if (!listed) throw new CliError(`There is no file ${name} here; /files lists them.`);
      await this.#transfers.run(name, this.#signal, async (options) => {
        const { stream } = await room.download(name, options);
        await save(verified(stream, listed), wanted, { replaces: false });
      });
      this.#desk.notice(`${name} is here as ${wanted}`);
    });
  }

  async #listRooms(): Promise<void> {
    const { rooms } = this.#client;
    const lines = rooms.map((room) => {
      const unread = this.#desk.unreadOf(room);
      const mark = room === this.#desk.room ? '>' : ' ';
      return `${mark} ${nameOf(room)}${unread > 0 ? ` (${count(unread, 'new message')})` : ''}`;
    });
    const others = (await this.#client.listPublicRooms(this.#options)).filter(
      ({ id }) => !rooms.some((room) => room.id === id),
    );
    if (lines.length > 0) this.#desk.notice(`Your rooms:\n${lines.join('\n')}`);
    if (others.length === 0) return;
    const open = others.map((room) => `  ${nameOf(room)} (${room.users} here)`);
    this.#desk.notice(`Public rooms you may join:\n${open.join('\n')}`);
  }

  async #listMembers(): Promise<void> {
    const members = await this.#desk.openRoom.members(this.#options);
    const lines = members.map(({ name, isOnline, role }) => {
      return `  ${name}${role === 'owner' ? ', owner' : ''}${isOnline ? ', online' : ''}`;
    });
    this.#desk.notice([`${count(members.length, 'member')}:`, ...lines].join('\n'));
  }

  async #listFiles(): Promise<void> {
    const files = await this.#desk.openRoom.files(this.#options);
    const lines = files.map(({ name, size, sender }) => `  ${name} (${formatBytes(size)}) from ${sender}`);
    this.#desk.notice([`${count(files.length, 'file')}:`, ...lines].join('\n'));
  }

  /** What was said is stored and what was begun is done, unless the chat is ended at once. */
  async #finish(): Promise<void> {
    if (this.#transfers.size > 0) this.#desk.notice('Files are still under way; Ctrl-C leaves them.');
    if (this.#signal.aborted) return;
    await Promise.race([Promise.all(this.#underWay), once(this.#signal, 'abort')]);
  }

  #showStatus(): void {
    const sending = this.#sending > 0 ? [`${count(this.#sending, 'message')} being sent`] : [];
    const connection = this.#lostConnection === '' ? [] : [this.#lostConnection];
    this.#desk.surround([...this.#transfers.lines, ...connection, ...sending]);
  }

  #listen(): void {
    const desk = this.#desk;
    const listener = this.#options;
    this.#client.on(
      'message',
      ({ room, message }) => {
        desk.take(room, message);
      },
      listener,
    );
    this.#client.on(
      'room-gone',
      ({ room, reason }) => {
        desk.lose(room, reason);
      },
      listener,
    );
    this.#client.on(
      'rooms',
      () => {
        desk.noteNames();
      },
      listener,
    );
    this.#client.on(
      'state',
      (state) => {
        this.#noteConnection(state);
      },
      listener,
    );
    this.#client.on(
      'members',
      ({ room, change, name }) => {
        if (room === desk.room) desk.notice(changeTexts[change](name));
      },
      listener,
    );
  }

  #noteConnection(state: ConnectionState): void {
    if (state.status === 'waiting') {
      if (this.#lostConnection === '') this.#desk.notice(`The connection is lost: ${state.reason}`);
      const at = new Date(state.retryAt).toLocaleTimeString('en-GB');
      this.#lostConnection = `offline; trying again at ${at}`;
    } else if (state.status === 'online' && this.#lostConnection !== '') {
      this.#lostConnection = '';
      this.#desk.notice('Connected again.');
    }
    this.#showStatus();
  }
}

const changeTexts: Record<'added' | 'joined' | 'removed' | 'left', (name: string) => string> = {
  added: (name) => `${name} was added.`,
  joined: (name) => `${name} joined.`,
  removed: (name) => `${name} was removed.`,
  left: (name) => `${name} left.`,
};
