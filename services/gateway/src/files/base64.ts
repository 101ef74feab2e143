import { ParleyError } from '@parley/protocol';

/**
 * The bytes of a text in standard base64 with its padding (RFC 4648, section 4).
 * @throws ParleyError `invalid_field` where it is none.
 */
export function decodeBase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  // Node leaves out what does not belong there, and reads the alphabet of URLs as well.
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const isComplete = text.length % 4 === 0 && bytes.length === (text.length / 4) * 3 - padding;
  if (isComplete && !text.includes('-') && !text.includes('_')) return bytes;
  const message = 'The data are no standard base64 with padding (RFC 4648, section 4); encode them anew.';
  throw new ParleyError('invalid_field', { field: 'data' }, { message });
}
