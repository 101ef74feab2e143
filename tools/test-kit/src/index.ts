export * from './handshake-client.ts';
export * from './identify-client.ts';
export * from './join-client.ts';
export * from './login-client.ts';
export * from './lossy-bus.ts';
export * from './parley.ts';
export * from './wait.ts';
export * from './wire-client.ts';
