/** What can be done to a frame, or at it to its connection, and to an upgrade (docs/clients.md says what each does). */
export const frameFaults = [
  'drop',
  'delay',
  'duplicate',
  'reorder',
  'cut',
  'close',
  'stall',
  'drain',
] as const;
export const upgradeFaults = ['refuse', 'ignore'] as const;
export const faultKinds = [...frameFaults, ...upgradeFaults] as const;

export type FrameFault = (typeof frameFaults)[number];
export type UpgradeFault = (typeof upgradeFaults)[number];
export type FaultKind = FrameFault | UpgradeFault;

export const directions = ['to-client', 'to-server'] as const;
export type Direction = (typeof directions)[number];

/** When which fault happens. */
export interface Rule {
  fault: FaultKind;
  /** Of the frames it is about. */
  direction: Direction;
  /** Only frames with this action; undefined: all. */
  action: string | undefined;
  /** Only the connection with this number, of all that there were, from 1; undefined: each. */
  connection: number | undefined;
  /** So many that match are left alone first: frames of each connection, upgrades of all. */
  after: number;
  /** How often it happens, on all connections together; Infinity: always. */
  times: number;
  /** How likely it happens at one that matches, from 0 to 1. */
  chance: number;
  /** How long it takes, in ms; undefined: as the fault has it. */
  ms: number | undefined;
  /** The close code, or the HTTP status of a refusal; undefined: as the fault has it. */
  code: number | undefined;
  /** Whether the frame at which it happens still goes through; undefined: as the fault has it. */
  passes: boolean | undefined;
}

export interface Script {
  seed: number | undefined;
  rules: Rule[];
}

/** A script that can't be meant. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
}

const plain: Rule = {
  fault: 'drop',
  direction: 'to-client',
  action: undefined,
  connection: undefined,
  after: 0,
  times: 1,
  chance: 1,
  ms: undefined,
  code: undefined,
  passes: undefined,
};

/** What each field may be, and in words. */
const fields: Record<keyof Rule, { isRight: (value: unknown) => boolean; what: string }> = {
  fault: { isRight: isOneOf(faultKinds), what: `one of ${faultKinds.join(', ')}` },
  direction: { isRight: isOneOf(directions), what: directions.join(' or ') },
  action: { isRight: (value) => typeof value === 'string', what: 'the action of frames' },
  connection: { isRight: isWhole(1), what: 'a whole number from 1 on' },
  after: { isRight: isWhole(0), what: 'a whole number' },
  times: {
    isRight: (value) => value === 'always' || isWhole(1)(value),
    what: 'a whole number from 1 on, or "always"',
  },
  chance: {
    isRight: (value) => typeof value === 'number' && value >= 0 && value <= 1,
    what: 'a number from 0 to 1',
  },
  ms: { isRight: isWhole(0), what: 'a whole number of milliseconds' },
  code: { isRight: isWhole(100), what: 'a close code or an HTTP status' },
  passes: { isRight: (value) => typeof value === 'boolean', what: 'true or false' },
};

/** @throws ScriptError naming what is wrong with the script. */
export function readScript(text: string): Script {
  let script: unknown;
  try {
    script = JSON.parse(text);
  } catch (error) {
    throw new ScriptError(`the script is no JSON: ${(error as Error).message}`);
  }
  if (!isObject(script) || !Array.isArray(script['rules'])) {
    throw new ScriptError('the script is as {"rules": [{"fault": "cut"}]}');
  }
  const { seed, rules, ...others } = script;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new ScriptError(`there is no field "${unknown}" in a script`);
  if (seed !== undefined && !isWhole(0)(seed)) throw new ScriptError('`seed` is a whole number');
  return { seed: seed as number | undefined, rules: (rules as unknown[]).map(readRule) };
}

/** @throws ScriptError naming the rule and the field. */
export function readRule(given: unknown, index = 0): Rule {
  const where = `rule ${index + 1}`;
  if (!isObject(given) || given['fault'] === undefined) throw new ScriptError(`${where} has no "fault"`);
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(fields, name)) throw new ScriptError(`${where} has no field "${name}"`);
    const { isRight, what } = fields[name as keyof Rule];
    if (!isRight(value))
      throw new ScriptError(`${where}: \`${name}\` is ${what}, not ${JSON.stringify(value)}`);
  }
  const times = given['times'] === 'always' ? { times: Infinity } : {};
  return { ...plain, ...(given as Partial<Rule>), ...times };
}

export function isUpgradeFault(fault: FaultKind): fault is UpgradeFault {
  return (upgradeFaults as readonly string[]).includes(fault);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOneOf(values: readonly string[]) {
  return (value: unknown): boolean => typeof value === 'string' && values.includes(value);
}

function isWhole(min: number) {
  return (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= min;
}
