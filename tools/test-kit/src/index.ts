export * from './handshake-client.ts';
export * from './login-client.ts';
export * from './lossy-bus.ts';
export * from './parley.ts';
export * from './wait.ts';
