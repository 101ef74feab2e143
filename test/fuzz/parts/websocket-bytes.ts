import type { SeededRandom } from '../../faults/random.ts';
import { anyText } from '../generation/hostile.ts';

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

interface Header {
  isLast: boolean;
  reserved: number;
  opcode: number;
  isMasked: boolean;
  /** As the header says it; the payload may have another one. */
  length: number;
}

/** Sequences of WebSocket frames (RFC 6455, section 5.2), most of which break a rule. */
export class WebSocketBytes {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  next(): Buffer {
    const random = this.#random;
    switch (random.below(5)) {
      case 0:
        return this.#fragmented();
      case 1:
        return this.#frame({ opcode: opcodes.text }, this.#noUtf8());
      case 2:
        return Buffer.concat([
          this.#frame({ opcode: opcodes.text }, text('{"action":"get_rooms"}')),
          this.#broken(),
        ]);
      case 3:
        return this.#closing();
      default:
        return Buffer.concat(Array.from({ length: 1 + random.below(4) }, () => this.#broken()));
    }
  }

  /** A message in parts, with others between them. */
  #fragmented(): Buffer {
    const parts = ['{"action"', ':"get_', 'rooms"}'].map(text);
    const frames = parts.flatMap((part, index) => [
      this.#frame({ opcode: index === 0 ? opcodes.text : opcodes.continuation, isLast: index === 2 }, part),
      ...(this.#random.isTrue(0.5) ? [this.#frame({ opcode: opcodes.ping }, text('hello'))] : []),
      ...(this.#random.isTrue(0.2) ? [this.#frame({ opcode: opcodes.text }, text('{}'))] : []),
    ]);
    return Buffer.concat(frames);
  }

  #noUtf8(): Buffer {
    return this.#random.pick([
      Buffer.from([0xff]),
      Buffer.from([0xc0, 0x80]),
      Buffer.from([0xed, 0xa0, 0x80]),
      Buffer.from([0xf4, 0x90, 0x80, 0x80]),
      Buffer.from([0xe2, 0x82]),
    ]);
  }

  #closing(): Buffer {
    const random = this.#random;
    const code = random.pick([0, 999, 1000, 1004, 1005, 1006, 1015, 2999, 3000, 4999, 5000, 65_535]);
    const payload = Buffer.concat([
      Buffer.from([code >> 8, code & 0xff]),
      text(anyText(random)).subarray(0, 123),
    ]);
    const frame = this.#frame(
      { opcode: opcodes.close },
      random.isTrue(0.2) ? payload.subarray(0, 1) : payload,
    );
    return Buffer.concat([frame, this.#frame({ opcode: opcodes.text }, text('{"action":"get_rooms"}'))]);
  }

  #broken(): Buffer {
    const random = this.#random;
    const payload = text(anyText(random));
    const length = random.pick([
      payload.length,
      0,
      125,
      126,
      127,
      200,
      65_535,
      65_536,
      2 ** 20 + 1,
      2 ** 31,
      2 ** 53,
    ]);
    const header = {
      isLast: random.isTrue(0.8),
      reserved: random.isTrue(0.3) ? random.below(8) : 0,
      opcode: random.below(16),
      isMasked: random.isTrue(0.8),
      length: random.isTrue(0.5) ? payload.length : length,
    };
    return this.#frame(header, payload);
  }

  #frame(header: Partial<Header>, payload: Buffer): Buffer {
    const { isLast = true, reserved = 0, opcode = opcodes.text, isMasked = true, length } = header;
    const first = (isLast ? 0x80 : 0) | (reserved << 4) | opcode;
    const head = [first, ...lengthBytes(length ?? payload.length, isMasked)];
    if (!isMasked) return Buffer.concat([Buffer.from(head), payload]);
    const mask = Array.from({ length: 4 }, () => this.#random.below(256));
    const masked = payload.map((byte, index) => byte ^ mask[index % 4]!);
    return Buffer.concat([Buffer.from([...head, ...mask]), masked]);
  }
}

function lengthBytes(length: number, isMasked: boolean): number[] {
  const mask = isMasked ? 0x80 : 0;
  if (length < 126) return [mask | length];
  if (length < 65_536) return [mask | 126, length >> 8, length & 0xff];
  const long = Buffer.alloc(8);
  long.writeBigUInt64BE(BigInt(length));
  return [mask | 127, ...long];
}

function text(written: string): Buffer {
  return Buffer.from(written);
}
