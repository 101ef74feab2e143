export * from './auth.ts';
export * from './gateway.ts';
export * from './messages.ts';
export * from './method.ts';
export * from './rooms.ts';
export * from './subjects.ts';
