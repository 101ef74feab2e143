import type { ManagedProcess } from '@parley/local-stack';
import { LoginClient } from '@parley/test-kit';
import type { Finding } from './findings.ts';
import { newPassword } from './parts/accounts.ts';
import type { System } from './system.ts';

/** From here on a line of a log tells of something that should not be: pino's `error`. */
const errorLevel = 50;
/** Around a secret in a log, in UTF-16 units. */
const shownAround = 120;

/** Which process is which, to know them again. */
export function pidsOf(processes: readonly ManagedProcess[]): Map<string, number | undefined> {
  return new Map(processes.map(({ name, pid }) => [name, pid]));
}

/** What is wrong with the system after all that was sent to it: nothing may be. */
export async function examine(
  system: System,
  pids: ReadonlyMap<string, number | undefined>,
  secrets: Set<string>,
): Promise<Finding[]> {
  const ended = system.all.filter(({ name, pid }) => pid === undefined || pid !== pids.get(name));
  const unready = await Promise.all(system.processes.map(readiness));
  const logs = await system.readLogs();
  const words = [
    ...ended.map(({ name }) => `${name} has ended`),
    ...unready.flat(),
    ...(await talk(system, secrets)),
    ...logs.flatMap(errorsIn),
    ...logs.flatMap((log) => secretsIn(log, secrets)),
  ];
  return words.map((what) => ({ part: 'afterwards', what, input: [] }));
}

async function readiness({ name, healthUrl }: System['processes'][number]): Promise<string[]> {
  try {
    const { status } = await fetch(`${healthUrl}/readyz`);
    return status === 200 ? [] : [`${name} is not ready`];
  } catch {
    return [`${name} does not answer`];
  }
}

/** Whether somebody who behaves can still talk. */
async function talk({ gateway }: System, secrets: Set<string>): Promise<string[]> {
  try {
    using client = await new LoginClient(gateway.webSocketUrl).opened();
    const password = newPassword(secrets);
    await client.ask('register', { chatid: 'well-behaved', password });
    await client.logIn('well-behaved', { password });
    const { room_id } = await client.ask('create_room', { room_name: 'After', participants: [] });
    await client.ask('send_message', { room_id, content: 'hello' });
    const { messages } = await client.ask('get_messages', { room_id });
    return messages.length === 1 ? [] : ['a message that was sent afterwards is not in history'];
  } catch (error) {
    return [`nobody can talk afterwards: ${(error as Error).message}`];
  }
}

interface LogLine {
  level?: number;
  msg?: string;
  err?: { message?: string };
}

/** What a process itself calls an error, and what no logger of ours wrote: the last words of a crash. */
function errorsIn({ name, text }: { name: string; text: string }): string[] {
  const isOurs = /^(gateway|auth|rooms|messages|files)-/.test(name);
  if (!isOurs) return [];
  const said = text.split('\n').flatMap((line) => {
    if (line === '') return [];
    if (!line.startsWith('{')) return [`says "${line}"`];
    const { level = 0, msg = '', err } = JSON.parse(line) as LogLine;
    return level >= errorLevel ? [`logs "${msg}": ${err?.message ?? ''}`] : [];
  });
  return [...new Set(said)].map((words) => `${name} ${words}`);
}

function secretsIn({ name, text }: { name: string; text: string }, secrets: ReadonlySet<string>): string[] {
  return [...secrets].flatMap((secret) => {
    const at = text.indexOf(secret);
    if (at === -1) return [];
    const around = text.slice(Math.max(0, at - shownAround), at);
    return [`${name} tells a secret behind "${around}"`];
  });
}
