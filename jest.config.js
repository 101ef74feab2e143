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
  maxWorkers: 2,
  reporters: ['default', '<rootDir>/test/summary-reporter.js'],
};
