/** By what is wrong with a frame, in the words of `ws`; everything else is a 1002. */
const codes: Record<string, number> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
};
const protocolError = 1002;

/** The code that `ws` closes with by itself for that error (RFC 6455, section 7.4); undefined where it is the socket's. */
export function codeOfBrokenFrame({ code }: { code?: string }): number | undefined {
  return code?.startsWith('WS_ERR_') ? (codes[code] ?? protocolError) : undefined;
}
