import {
  MessageId,
  NameInput,
  NewPassword,
  Password,
  RoomId,
  storableText,
  TimeInput,
} from '@parley/protocol';
import { Type } from '@parley/schema';
import type { TSchema } from '@parley/schema';

/**
 * The schema, with what a reader of the API's document wants to know; it keeps the checks that JSON Schema has no words for,
 * which a copy would lose.
 */
export function described<Schema extends TSchema>(
  schema: Schema,
  words: { description?: string; examples?: string[] },
): Schema {
  return Type.With(schema, words) as Schema;
}

const nameRule = '1 to 64 characters after trimming, no control characters; case-sensitive.';

export const UserNameField = described(NameInput, { description: nameRule, examples: ['john_doe'] });
/** Of a request that names its sender. */
export const OwnNameField = described(NameInput, {
  description: 'The user whose token it is; another is `forbidden`.',
  examples: ['john_doe'],
});
export const RoomNameField = described(NameInput, { description: nameRule, examples: ['TechTalk'] });
export const NewPasswordField = described(NewPassword, { examples: ['securepassword'] });
export const PasswordField = described(Password, { examples: ['securepassword'] });
export const RoomIdField = described(RoomId, { examples: ['room_5f0c2b7d9e1a4c3f8b6d7e90'] });
export const MessageIdField = described(MessageId, { description: '1, 2, 3 ... within its room.' });
export const TimeField = described(TimeInput, { description: 'ISO 8601 with a zone.' });

/** How many at most; what is above the maximum counts as the maximum. */
export function limitField(standard: number, most: number) {
  return Type.Integer({ minimum: 1, default: standard, description: `At most ${most} are given.` });
}

/** Of answers. */
export const SuccessField = Type.Literal('success');
export const TokenField = storableText(1, 256);
