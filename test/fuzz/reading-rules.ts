import { defaultRoomId, matches, RoomName, UserName } from '@parley/protocol';
import type { Command, ErrorCode, FrameRead, ParleyError } from '@parley/protocol';
import { leakIn } from './leaks.ts';

/** Why a frame can be refused before anything is asked of a service, and whether that names the field (protocol.md, "Transport"). */
const refusals: Partial<Record<ErrorCode, { namesField: boolean }>> = {
  invalid_json: { namesField: false },
  unknown_action: { namesField: true },
  missing_field: { namesField: true },
  invalid_field: { namesField: true },
};

/** What an error may tell beside that: of files which one, and which chunk. */
const furtherDetails = ['fileName', 'sequence'];

/** Longest that the frame of an error is, in UTF-16 units: what it repeats of the client's is cut. */
const longestError = 2_000;

/** What is wrong with what became of a frame; undefined where nothing is. @param read Reads it. */
export function problemWith(read: () => FrameRead): string | undefined {
  let result: FrameRead;
  try {
    result = read();
  } catch (thrown) {
    return `reading throws ${String(thrown)}`;
  }
  const { error, command, action } = result;
  if (error) return problemWithError(error, result.dialect.encodeError(error, action));
  return action === undefined || !result.dialect.recognises(action)
    ? `the action ${action ?? ''} is taken, and not known in ${result.dialect.name}`
    : problemWithCommand(command);
}

/** @param told The frame of the error. */
function problemWithError({ code, message, details, cause }: ParleyError, told: string): string | undefined {
  const refusal = Object.hasOwn(refusals, code) ? refusals[code] : undefined;
  if (!refusal) return `it is refused with ${code}: ${cause instanceof Error ? cause.message : message}`;
  const leak = leakIn(message);
  if (leak !== undefined) return `the error ${code} says "${leak}"`;
  if (message.trim() === '') return `the error ${code} has no words`;
  if (told.length > longestError) return `the error ${code} has ${told.length} characters`;
  if (!told.isWellFormed()) return `the error ${code} has half a character`;
  const { field, ...others } = details;
  const strange = Object.keys(others).find((name) => !furtherDetails.includes(name));
  if (strange !== undefined) return `the error ${code} tells ${strange}`;
  return refusal.namesField ? problemWithField(code, field, message) : undefined;
}

function problemWithField(code: ErrorCode, field: string | undefined, message: string): string | undefined {
  if (field === undefined || field === '') return `the error ${code} names no field: ${message}`;
  if (code === 'unknown_action') return field === 'action' ? undefined : `an unknown action is a ${field}`;
  return message.includes(`\`${field}\``) ? undefined : `the error ${code} does not say which field it is`;
}

function problemWithCommand({ method, request, roomName, claimedName }: Command): string | undefined {
  // The id of a room that is called by its name is added later.
  const whole = roomName === undefined ? request : { ...(request as object), roomId: defaultRoomId };
  if (!matches(method.request, whole)) return `the request of ${method.name} is not as its schema says`;
  if (roomName !== undefined && !matches(RoomName, roomName)) return `a room's name that is none`;
  if (claimedName !== undefined && !matches(UserName, claimedName)) return `a user's name that is none`;
  return undefined;
}
