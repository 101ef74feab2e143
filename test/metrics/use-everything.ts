import { randomBytes } from 'node:crypto';
import { FileSender, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';

/**
 * Has every labelled metric count something.
 * @param room Of a name that there is not yet.
 * @returns the ids that were used.
 */
export async function useEverything(parley: Parley, room: string): Promise<string[]> {
  const roomId = await parley.createPublicRoom(room, 'alice');
  const join = await parley.connectJoin({ token: await parley.getToken('alice') });
  await join.join('alice', roomId);
  const identify = await parley.connectIdentify();
  await identify.identify('bob');
  await identify.ask('joinRoom', { room });
  const login = await parley.logIn('carol');
  const { room_id } = await login.ask('create_room', { room_name: 'of carol', participants: [] });
  await login.ask('send_message', { room_id, content: 'hello' });
  await login.request('send_message', { room_id: 'room_000000000000000000000009', content: 'nowhere' });
  await new FileSender(login, room_id, 'tea.bin', randomBytes(100_000)).send();
  const stranger = await parley.connect();
  stranger.socket.send(Buffer.from('binary'));
  await until('the binary frame is refused', () => stranger.socket.readyState === stranger.socket.CLOSED);
  return [roomId, room_id as string];
}
