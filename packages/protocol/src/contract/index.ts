export * from './auth.ts';
export * from './gateway.ts';
export * from './handshake.ts';
export * from './messages.ts';
export * from './method.ts';
export * from './receipts.ts';
export * from './rooms.ts';
export * from './subjects.ts';
