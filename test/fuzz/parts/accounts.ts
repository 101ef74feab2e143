import { randomBytes } from 'node:crypto';

/** A name that nobody has. */
export function newName(): string {
  return `fuzz-${randomBytes(6).toString('hex')}`;
}

/** A password that is found wherever it is told. */
export function newPassword(secrets: Set<string>): string {
  const password = `password-${randomBytes(9).toString('hex')}`;
  secrets.add(password);
  return password;
}

/** Makes an account; answers with a token of it. @throws Error where it is refused. */
export async function logInOverHttp(
  url: string,
  { name, password }: { name: string; password: string },
  secrets: Set<string>,
): Promise<string> {
  const body = JSON.stringify({ username: name, password });
  const post = (path: string): Promise<Response> =>
    fetch(`${url}/api/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  await post('register');
  const { token, message } = (await (await post('login')).json()) as { token?: string; message?: string };
  if (token === undefined) throw new Error(`${name} could not log in: ${message ?? ''}`);
  secrets.add(token);
  return token;
}

/** Makes a public room; answers its id. @throws Error where it is refused. */
export async function makeRoomOverHttp(
  url: string,
  room: { roomName: string; creator: string },
  token: string,
): Promise<string> {
  const response = await fetch(`${url}/api/create-room`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(room),
  });
  const { roomId, message } = (await response.json()) as { roomId?: string; message?: string };
  if (roomId === undefined) throw new Error(`no room ${room.roomName}: ${message ?? ''}`);
  return roomId;
}
