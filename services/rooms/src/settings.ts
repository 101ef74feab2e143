import { databaseSettings, integer, oneOf, redisSettings } from '@parley/service-kit';

export const settings = {
  ...databaseSettings,
  ...redisSettings,
  maxRoomsPerUser: integer('MAX_ROOMS_PER_USER', {
    default: 1_000,
    min: 1,
    doc: 'Most rooms that one user may be a member of.',
  }),
  maxMembersPerRoom: integer('MAX_MEMBERS_PER_ROOM', {
    default: 10_000,
    min: 1,
    doc: 'Most members of one room.',
  }),
  rateLimits: oneOf('RATE_LIMITS', ['on', 'off'], {
    default: 'on',
    doc: 'Whether rates are limited; `off` is for tests and benches.',
  }),
  roomsPerAddress: integer('ROOMS_PER_ADDRESS', {
    default: 60,
    min: 1,
    doc: 'Rooms made a minute from one address.',
  }),
  gatewayLeaseMs: integer('GATEWAY_LEASE_MS', {
    default: 15_000,
    min: 1_000,
    doc: 'How long the users of a gateway that fell silent count as connected, in ms.',
  }),
};
