import { closeCodes, createRoom, errorCodes, openToken, register } from '@parley/protocol';
import type { ErrorCode, Method } from '@parley/protocol';
import { commonErrors } from '@parley/protocol/documents';
import type { AsyncApi, DialectDescription } from '@parley/protocol/documents';
import { commonSettings } from '@parley/service-kit';
import type { Setting } from '@parley/service-kit';
import { settings as auth } from '../../services/auth/src/settings.ts';
import { settings as files } from '../../services/files/src/settings.ts';
import { settings as gateway } from '../../services/gateway/src/settings.ts';
import { settings as rooms } from '../../services/rooms/src/settings.ts';

const ofConnections: readonly Setting<unknown>[] = [
  gateway.sendsPerSecond,
  gateway.sendsBurst,
  gateway.requestsPerSecond,
  gateway.requestsBurst,
  gateway.connectionsPerAddress,
  rooms.roomsPerAddress,
  gateway.maxFrameBytes,
  gateway.maxBufferedBytes,
  gateway.pingEveryMs,
  commonSettings.requestTimeoutMs,
];
const ofAccounts: readonly Setting<unknown>[] = [
  auth.loginsPerAccount,
  auth.failedLoginsPerAccount,
  auth.loginsPerAddress,
  auth.registrationsPerAddress,
  auth.sessionMs,
  auth.sessionMaxMs,
  rooms.maxRoomsPerUser,
  rooms.maxMembersPerRoom,
];
const limits: Readonly<Record<string, readonly Setting<unknown>[]>> = {
  login: [
    ...ofConnections,
    ...ofAccounts,
    auth.guestsPerAddress,
    gateway.handshakeTimeoutMs,
    gateway.handshakeResendMs,
    gateway.assemblyTimeoutMs,
    files.maxFileBytes,
  ],
  identify: [...ofConnections, auth.guestsPerAddress],
  join: [...ofConnections, ...ofAccounts, auth.guestsPerAddress],
};

/** Errors that the integrity handshake adds to any request under it. */
const ofHandshake: readonly ErrorCode[] = ['handshake_mismatch', 'handshake_timeout'];

/** What clients of a dialect ask for over HTTP, where that is how they begin. */
const overHttp: Readonly<Record<string, readonly Method[]>> = { join: [register, openToken, createRoom] };

/** The parts of a dialect's guide that are made of the code, by their names. */
export function guideSections(
  { dialect, requests }: DialectDescription,
  document: AsyncApi,
): ReadonlyMap<string, string> {
  const { name, handshake } = dialect;
  const methods = [...Object.values(requests).map(({ method }) => method), ...(overHttp[name] ?? [])];
  const own = methods.flatMap(({ errors }) => errors);
  const codes = new Set<string>([...commonErrors, ...own, ...(handshake ? ofHandshake : [])]);
  return new Map([
    [`requests ${name}`, requestTable(document)],
    [`errors ${name}`, errorTable(codes)],
    ['close codes', closeTable()],
    [`limits ${name}`, limitTable(limits[name] ?? [])],
  ]);
}

function requestTable({ operations, components }: AsyncApi): string {
  const rows = Object.values(operations)
    .filter(({ action }) => action === 'receive')
    .map(({ messages, reply, summary, tags }) => {
      const answers = reply!.messages.map(nameOf).filter((answer) => answer !== 'error');
      const fields = fieldsOf(components.messages[keyOf(messages[0]!)]!.payload);
      const written = [...new Set(answers)].map((answer) => `\`${answer}\``).join(', ');
      return `| \`${nameOf(messages[0]!)}\`${tags ? ' *(ext)*' : ''} | ${fields} | ${written} | ${summary} |`;
    });
  return ['| request | fields | answered by | |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** Those that are needed, then those that may be left out. */
function fieldsOf(payload: AsyncApi['components']['messages'][string]['payload']): string {
  const body = payload.properties?.['data'] ?? payload.properties?.['payload'] ?? payload;
  const names = Object.keys(body.properties ?? {}).filter((name) => !['action', 'chat_id'].includes(name));
  const isNeeded = (name: string) => body.required?.includes(name) ?? false;
  const optional = names.filter((name) => !isNeeded(name)).map((name) => `\`${name}\`?`);
  return [...names.filter(isNeeded).map((name) => `\`${name}\``), ...optional].join(', ');
}

function errorTable(codes: ReadonlySet<string>): string {
  const rows = Object.entries(errorCodes)
    .filter(([code]) => codes.has(code))
    .map(([code, { retry, text }]) => `| \`${code}\` | ${retry ? 'yes' : 'no'} | ${text} |`);
  return ['| code | try the same again | text |', '| --- | --- | --- |', ...rows].join('\n');
}

function closeTable(): string {
  const rows = Object.entries(closeCodes).map(
    ([code, { meaning, action }]) => `| ${code} | ${meaning} | ${action} |`,
  );
  return ['| close code | meaning | what to do |', '| --- | --- | --- |', ...rows].join('\n');
}

function limitTable(settings: readonly Setting<unknown>[]): string {
  const rows = settings.map(
    ({ variable, defaultText, doc }) => `| ${doc} | ${defaultText ?? ''} | \`${variable}\` |`,
  );
  return ['| limit | unless the server says otherwise | its setting |', '| --- | --- | --- |', ...rows].join(
    '\n',
  );
}

function keyOf({ $ref }: { $ref: string }): string {
  return $ref.slice($ref.lastIndexOf('/') + 1);
}

function nameOf(ref: { $ref: string }): string {
  const key = keyOf(ref);
  return key.slice(key.indexOf('.') + 1);
}
