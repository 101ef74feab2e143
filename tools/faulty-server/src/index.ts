export { openFaultyServer } from './faulty-server.ts';
export type { FaultyServer, FaultyServerOptions } from './faulty-server.ts';
export { Judge } from './judge.ts';
export type { Injected } from './link.ts';
export { readyMade } from './ready-made.ts';
export { faultKinds, readRule, readScript, ScriptError } from './rules.ts';
export type { Direction, FaultKind, Rule, Script } from './rules.ts';
