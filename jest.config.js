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
  // The compose system takes minutes and a Docker: npm run test:compose. The bench is tried apart, too: npm run test:bench.
  testPathIgnorePatterns: [
    '/node_modules/',
    '<rootDir>/test/compose/',
    '<rootDir>/bench/src/scenarios/scenarios.test.ts',
  ],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' } }],
  },
  globalSetup: '<rootDir>/test/servers-setup.js',
  globalTeardown: '<rootDir>/test/servers-teardown.js',
  // Longer than tests wait for any one thing, so that it is told what they waited for.
  testTimeout: 120_000,
  testSequencer: '<rootDir>/test/longest-first.js',
  // Servers that are given serve one Parley at a time.
  // Otherwise three: tests wait for processes a third of their time.
  maxWorkers: hasServersGiven ? 1 : 3,
  reporters: ['default', '<rootDir>/test/summary-reporter.js'],
};
