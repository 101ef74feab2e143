import { integer, list, oneOf, text } from '@parley/service-kit';

export const settings = {
  host: text('HOST', { default: '0.0.0.0', doc: 'The address that clients connect to.' }),
  port: integer('PORT', {
    default: 20_200,
    max: 65_535,
    doc: 'The port that clients connect to, HTTP and WebSocket.',
  }),
  trustedProxies: integer('TRUSTED_PROXIES', {
    default: 0,
    doc: 'How many proxies in front may be believed what `X-Forwarded-For` says.',
  }),
  allowedOrigins: list('ALLOWED_ORIGINS', {
    default: '',
    doc: 'Web origins that browsers may come from beside our own, as `https://chat.example.org`, separated by commas, without a slash at the end; `*` is any.',
  }),
  webDir: text('WEB_DIR', {
    default: '',
    doc: 'The folder of the built web client, which is then served at `/`.',
  }),
  maxFrameBytes: integer('MAX_FRAME_BYTES', {
    default: 1_048_576,
    min: 1_024,
    doc: 'Largest frame of a client, in bytes; a larger one closes with 1009.',
  }),
  maxBufferedBytes: integer('MAX_BUFFERED_BYTES', {
    default: 4_194_304,
    min: 65_536,
    doc: 'Most unsent bytes of one connection; a slower reader is closed with 1013.',
  }),
  maxBufferedBytesTotal: integer('MAX_BUFFERED_BYTES_TOTAL', {
    default: 268_435_456,
    min: 1_048_576,
    doc: 'Most bytes that all clients of a process may make it hold in memory together: unread output, requests that wait, unfinished frames. Above it those that hold most are closed, WebSockets with 1013.',
  }),
  maxPendingRequests: integer('MAX_PENDING_REQUESTS', {
    default: 256,
    min: 1,
    doc: 'Most unanswered requests of one connection; it is not read from until some are answered.',
  }),
  pingEveryMs: integer('PING_EVERY_MS', {
    default: 30_000,
    min: 1_000,
    doc: 'How often each connection is pinged, in ms; two missed pongs end it.',
  }),
  loginTimeoutMs: integer('LOGIN_TIMEOUT_MS', {
    default: 600_000,
    doc: 'How long a connection may stay without a login, in ms; then it is closed with 1008 at its next ping. 0 is for ever. One that was opened with a token has logged in.',
  }),
  handshake: oneOf('HANDSHAKE', ['offered', 'required'], {
    default: 'offered',
    doc: 'Whether connections of the login dialect may ask for the integrity handshake, or are all under it.',
  }),
  handshakeTimeoutMs: integer('HANDSHAKE_TIMEOUT_MS', {
    default: 60_000,
    min: 100,
    doc: 'How long a request waits for the confirmation of its count, in ms.',
  }),
  handshakeResendMs: integer('HANDSHAKE_RESEND_MS', {
    default: 5_000,
    min: 100,
    doc: 'How long an unacknowledged message meets silence before it goes out again, in ms; then twice as long, and so on.',
  }),
  downloadChunkBytes: integer('DOWNLOAD_CHUNK_BYTES', {
    default: 65_536,
    min: 1_024,
    max: 262_144,
    doc: 'Bytes of a file in one frame of a download.',
  }),
  assemblyTimeoutMs: integer('ASSEMBLY_TIMEOUT_MS', {
    default: 600_000,
    min: 1_000,
    doc: 'Longest wait for a file to be put together, in ms.',
  }),
  rateLimits: oneOf('RATE_LIMITS', ['on', 'off'], {
    default: 'on',
    doc: 'Whether rates are limited; `off` is for tests and benches.',
  }),
  sendsPerSecond: integer('SENDS_PER_SECOND', {
    default: 50,
    min: 1,
    doc: 'Messages a second of one connection.',
  }),
  sendsBurst: integer('SENDS_BURST', {
    default: 200,
    min: 1,
    doc: 'Messages that one connection may send at once.',
  }),
  requestsPerSecond: integer('REQUESTS_PER_SECOND', {
    default: 100,
    min: 1,
    doc: 'Requests a second of one connection, messages included; over HTTP of one user, and of one address.',
  }),
  requestsBurst: integer('REQUESTS_BURST', {
    default: 400,
    min: 1,
    doc: 'Requests that one connection may send at once; over HTTP one user, and one address.',
  }),
  connectionsPerAddress: integer('CONNECTIONS_PER_ADDRESS', {
    default: 200,
    min: 1,
    doc: 'WebSocket connections from one address, or one /64 of IPv6; where `TRUSTED_PROXIES` is 0, as many again that are HTTP.',
  }),
  bytesPerAddress: integer('BYTES_PER_ADDRESS', {
    default: 16_777_216,
    min: 65_536,
    doc: 'Bytes a second that an address may send over WebSockets, and as many that it gets of history; more has to wait.',
  }),
  maxConnections: integer('MAX_CONNECTIONS', {
    default: 50_000,
    min: 1,
    doc: 'Connections of one process, HTTP and WebSocket; more are cut off before they say anything. Fewer than it may have files open.',
  }),
};
