import { loginWire } from './login-wire.ts';
import { plainWire } from './plain-wire.ts';
import { socketIoWire } from './socket-io-wire.ts';

export const wires = { login: loginWire, 'socket.io': socketIoWire, plain: plainWire };
export type WireName = keyof typeof wires;
export type { FrameKind, Seat, Step, Wire } from './wire.ts';
