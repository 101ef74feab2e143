import type { HistoryMessage } from '../audit.ts';
import type { ProcessGroups } from '../cpu.ts';
import type { MachineFacts } from '../machine.ts';
import type { Seat, WireName } from '../wires/index.ts';

/** What can be measured: Parley and its peers. */
export const contenderNames = ['parley', 'socket.io-postgres', 'socket.io', 'ws', 'joined'] as const;
export type ContenderName = (typeof contenderNames)[number];

/** What each is, in a few words. */
export const contenderTitles: Readonly<Record<ContenderName, string>> = {
  parley: 'Parley',
  'socket.io-postgres': 'socket.io, Redis adapter, an INSERT a message',
  'socket.io': 'socket.io, Redis adapter',
  ws: 'bare ws broadcast',
  joined: 'frames joined, written once a turn (ceiling)',
};

export interface ContenderOptions {
  /** Processes that take connections, where the contender can have several. */
  gateways: number;
  /** Where each process leaves its CPU profile (`*.cpuprofile`, for Chrome's DevTools). Default: no profiles. */
  profileDir?: string | undefined;
  /** Processes collect their garbage on SIGUSR2, so that what is held can be told from what is not yet swept. */
  collectsOnSignal?: boolean;
  /** Settings of Parley's processes, over those of a bench. */
  environment?: Readonly<Record<string, string>>;
  /** Hears what a start has to say: a line about installing and the like. Default: nobody does. */
  log?: ((line: string) => void) | undefined;
  abort: AbortSignal;
}

export interface SeatsPlan {
  connections: number;
  /** The connections are dealt out to so many rooms, each in turn. */
  rooms: number;
}

/** A running server of one kind, for one run. */
export interface Contender extends AsyncDisposable {
  readonly name: ContenderName;
  readonly wire: WireName;
  readonly facts: MachineFacts;
  /** Everything that runs for it. */
  readonly processes: ProcessGroups;
  /** The processes that hold the connections. */
  readonly holders: readonly number[];
  /** Whether ids are 1 to n in each room. */
  readonly isNumbered: boolean;
  /** Makes users with open sessions, and rooms with their members. May be called again, for further ones. */
  seat(plan: SeatsPlan): Promise<Seat[]>;
  /** A room's messages, oldest first; absent where nothing is stored. Ends the session of the seat. */
  readHistory?(seat: Seat): Promise<HistoryMessage[]>;
}

/** Which of the processes a connection goes to: those of a room are spread over all of them, and so are rooms of one connection. */
export function placeOf(number: number, rooms: number, processes: number): number {
  return ((number % rooms) + Math.floor(number / rooms)) % processes;
}
