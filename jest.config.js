const { NATS_URL, REDIS_URL, DATABASE_URL } = process.env;
const hasServersGiven = Boolean(NATS_URL && REDIS_URL && DATABASE_URL);

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: [
    '<rootDir>/apps',
    '<rootDir>/packages',
    '<rootDir>/services',
    '<rootDir>/tools',
    '<rootDir>/test',
    '<rootDir>/bench',
  ],
  // The compose system takes minutes and a Docker: npm run test:compose.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/compose/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' } }],
  },
  globalSetup: '<rootDir>/test/servers-setup.js',
  globalTeardown: '<rootDir>/test/servers-teardown.js',
  testTimeout: 60_000,
  // Servers that are given serve one Parley at a time.
  maxWorkers: hasServersGiven ? 1 : 2,
  reporters: ['default', '<rootDir>/test/summary-reporter.js'],
};
