import type { Scenario } from '../scenario.ts';
import { attacks } from './attacks.ts';
import { connect } from './connect.ts';
import { drain } from './drain.ts';
import { fanout } from './fanout.ts';
import { files } from './files.ts';
import { handshake } from './handshake.ts';
import { history } from './history.ts';
import { idle } from './idle.ts';
import { lobby } from './lobby.ts';
import { gatewayReturn } from './return.ts';
import { rooms } from './rooms.ts';
import { scale } from './scale.ts';
import { send } from './send.ts';
import { soak } from './soak.ts';
import { startup } from './startup.ts';
import { traces } from './traces.ts';

/** Everything that can be measured, in the order of the report. */
export const scenarios: readonly Scenario[] = [
  fanout,
  send,
  rooms,
  idle,
  connect,
  history,
  scale,
  files,
  handshake,
  lobby,
  drain,
  gatewayReturn,
  soak,
  startup,
  attacks,
  traces,
];
