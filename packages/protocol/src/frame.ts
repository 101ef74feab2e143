import type { Command } from './command.ts';
import { dialects } from './dialects/index.ts';
import { isJsonObject } from './dialects/dialect.ts';
import type { Dialect, JsonObject } from './dialects/dialect.ts';
import { ParleyError } from './errors.ts';
import { isOvergrown } from './json-shape.ts';
import { parseJson } from './json.ts';

/** A client's frame, read: whose language it is and what it asks for, or what is wrong with it. */
export type FrameRead = { dialect: Dialect; recognised: boolean; action: string | undefined } & (
  { command: Command; error?: never } | { command?: never; error: ParleyError }
);

const maxEchoedActionCharacters = 64;

/**
 * Reads one text frame. Never throws: whatever is sent becomes a command or one clear error.
 * @param spoken The connection's dialect, once its first known action has fixed it.
 * @param initial The dialect of errors until then.
 */
export function readFrame(text: string, spoken: Dialect | undefined, initial: Dialect): FrameRead {
  let action: string | undefined;
  let dialect = spoken;
  let recognised = false;
  try {
    const frame = parseObject(text);
    action = actionOf(frame);
    dialect = (spoken ? [spoken] : dialects).find((candidate) => candidate.recognises(action!));
    if (!dialect) throw new ParleyError('unknown_action', { field: 'action' });
    recognised = true;
    return { dialect, recognised, action, command: dialect.decode(frame) };
  } catch (thrown) {
    return {
      dialect: dialect ?? spoken ?? initial,
      recognised,
      action: action?.slice(0, maxEchoedActionCharacters),
      error: ParleyError.from(thrown),
    };
  }
}

function parseObject(text: string): JsonObject {
  let value: unknown;
  if (isOvergrown(text)) throw new ParleyError('invalid_json');
  try {
    value = parseJson(text);
  } catch (cause) {
    throw new ParleyError('invalid_json', {}, { cause });
  }
  if (!isJsonObject(value)) throw new ParleyError('invalid_json');
  return value;
}

function actionOf(frame: JsonObject): string {
  const { action } = frame;
  const field = { field: 'action' };
  if (action === undefined)
    throw new ParleyError('missing_field', field, { message: 'The field `action` is missing; add it.' });
  if (typeof action !== 'string') {
    throw new ParleyError('invalid_field', field, {
      message: 'The field `action` is invalid: it must be a string.',
    });
  }
  return action;
}
