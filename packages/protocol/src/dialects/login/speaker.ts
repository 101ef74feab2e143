import { Type } from '@parley/schema';
import { NameInput } from '../../text.ts';
import { rowsWith } from '../request-rows.ts';

/** `chatid`, which file frames spell `chat_id`, says who is speaking. */
const speaker = { chatid: Type.Optional(NameInput), chat_id: Type.Optional(NameInput) };

/** Makes the rows of the dialect. */
export const row = rowsWith(speaker, ({ chatid, chat_id }) => ({ claimedName: chatid ?? chat_id }));
