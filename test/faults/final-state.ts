import { createHash } from 'node:crypto';
import type { Cast } from './cast.ts';
import type { LoginTalker } from './clients/login-talker.ts';
import type { Room } from './clients/talker.ts';
import { fileKey, type FinalState, type Journal, type SeenMessage } from './journal.ts';

const downloadMs = 20_000;

/** Reads all histories, downloads all confirmed files and asks for all receipts, as any client may. */
export async function readFinalState(
  cast: Cast,
  journal: Journal,
  gateways: readonly string[],
): Promise<Omit<FinalState, 'unrecovered'>> {
  const histories = new Map<string, readonly SeenMessage[]>();
  for (const room of [...cast.publicRooms, ...cast.privateRooms]) {
    const member = memberOf(cast, room);
    histories.set(room.id, await (member?.readHistory(room.id) ?? cast.identifiers[0]!.readHistory(room)));
    if (member) await askReceipts(member, room, journal);
  }
  const files = new Map<string, string>();
  for (const { room, name, confirmedAt } of journal.uploads) {
    if (confirmedAt === undefined) continue;
    const reader = cast.logins.find((login) => login.sessionKey !== undefined && isIn(login, room));
    const hash = reader && (await downloadedHash(gateways[0]!, reader.sessionKey!, room, name));
    if (hash !== undefined) files.set(fileKey(room, name), hash);
  }
  return { histories, files };
}

function memberOf({ logins }: Cast, room: Room): LoginTalker | undefined {
  return logins.find((login) => isIn(login, room.id));
}

function isIn(login: LoginTalker, room: string): boolean {
  return login.places.some(({ id }) => id === room);
}

async function askReceipts(member: LoginTalker, room: Room, journal: Journal): Promise<void> {
  const { receipts } = await member.insist('get_receipts', { room_id: room.id });
  for (const { chatid: reader, message_id: id } of receipts as { chatid: string; message_id: number }[]) {
    journal.receipts.push({ at: performance.now(), reader, room: room.id, id, kind: 'position' });
  }
}

/** Undefined where it is not given. */
async function downloadedHash(
  gateway: string,
  token: string,
  room: string,
  name: string,
): Promise<string | undefined> {
  const response = await fetch(`http://${gateway}/api/rooms/${room}/files/${encodeURIComponent(name)}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(downloadMs),
  });
  if (!response.ok) return undefined;
  return createHash('sha256')
    .update(Buffer.from(await response.arrayBuffer()))
    .digest('hex');
}
