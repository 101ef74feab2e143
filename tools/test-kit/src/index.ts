export * from './login-client.ts';
export * from './parley.ts';
export * from './wait.ts';
