export { LocalStackError } from './local-stack-error.ts';
export type { ManagedProcess, ProcessOutput } from './managed-process.ts';
export { startServers } from './servers.ts';
export type { ServerAddresses, ServerOptions, Servers } from './servers.ts';
export { startStack } from './stack.ts';
export type { GatewayProcess, ServiceName, ServiceProcess, Stack, StackOptions } from './stack.ts';
