export type { Check, Dialect } from './check.ts';
export { dialects } from './check.ts';
export { checks } from './checks/index.ts';
export { runConformance } from './run.ts';
export type { Result, RunOptions } from './run.ts';
