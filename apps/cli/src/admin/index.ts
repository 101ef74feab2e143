import type { CommandModule } from 'yargs';
import { roomsCommand } from './rooms/index.ts';
import { statusCommand } from './status/index.ts';
import { usersCommand } from './users/index.ts';

/** What operators do. They reach the services over the bus: that of `npm start` on this machine, or that at `NATS_URL`. */
export const adminCommands: readonly CommandModule[] = [usersCommand, roomsCommand, statusCommand];
