export { findPrograms } from './binaries.ts';
export { LocalStackError } from './local-stack-error.ts';
export type { ManagedProcess, ProcessOutput } from './managed-process.ts';
export { findRunningStack } from './running-stack.ts';
export type { RunningStack } from './running-stack.ts';
export { startServers } from './servers.ts';
export type { ServerAddresses, ServerOptions, Servers } from './servers.ts';
export { startStack } from './stack.ts';
export type { GatewayProcess, ServiceName, ServiceProcess, Stack, StackOptions } from './stack.ts';
