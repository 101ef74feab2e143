/** The codes that the server closes connections with, in all dialects: what each means, and what to do (RFC 6455, section 7.4). */
export const closeCodes = {
  1001: { meaning: 'the server is going away', action: 'reconnect, with jitter' },
  1003: { meaning: 'a binary frame was sent', action: 'send text' },
  1008: {
    meaning:
      'limits were exceeded for 10 s without pause, a frame came in too many pieces, or nobody had logged in for 10 minutes (`LOGIN_TIMEOUT_MS`)',
    action: 'slow down; log in',
  },
  1009: { meaning: 'a frame was too large', action: 'send less at once' },
  1013: {
    meaning: 'too slow a reader, or it held most when all together held too much',
    action: 'reconnect, go on after the last id',
  },
  4001: { meaning: 'the session was taken over elsewhere', action: 'do not reconnect' },
  4003: { meaning: 'the session ended', action: 'log in again' },
} as const;
