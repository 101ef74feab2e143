import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryBudget } from './memory-budget.ts';
import type { Holder } from './memory-budget.ts';

/** Holds what it is told to, and lets go of it when it is asked for the second time, as a connection that does not read. */
class Client implements Holder {
  heldBytes = 0;
  asked = 0;

  hold(bytes: number): void {
    this.heldBytes += bytes;
    budget.grew(this, bytes);
  }

  giveUp(): void {
    this.asked += 1;
    if (this.asked > 1) this.leave();
  }

  leave(): void {
    this.heldBytes = 0;
    budget.forget(this);
  }
}

let budget: MemoryBudget;
beforeEach(() => {
  budget = new MemoryBudget(1_000);
});
afterEach(() => {
  budget[Symbol.dispose]();
});

function clientsHolding(...bytes: number[]): Client[] {
  return bytes.map((each) => {
    const client = new Client();
    client.hold(each);
    return client;
  });
}

describe('above what all may hold together', () => {
  test('those who hold most give up, until it is below', () => {
    const clients = clientsHolding(100, 300, 200, 250, 140);
    expect(clients.map(({ asked }) => asked)).toEqual([0, 0, 0, 0, 0]);
    clients.push(...clientsHolding(300));
    expect(clients.map(({ asked }) => asked)).toEqual([0, 1, 0, 0, 0, 0]);
  });

  test('those who were asked and hold on are cut off before another one is asked', () => {
    const [large, small, third] = clientsHolding(600, 390, 100);
    expect([large!.asked, small!.asked, third!.asked]).toEqual([1, 0, 0]);
    // More of the same comes meanwhile.
    third!.hold(500);
    expect([large!.asked, small!.asked, third!.asked]).toEqual([2, 0, 0]);
    expect(large!.heldBytes).toBe(0);
  });

  test('however little comes at a time, no more than a sixteenth gets past it', () => {
    const clients = clientsHolding(...Array<number>(10).fill(90));
    let most = 0;
    for (let n = 0; n < 2_000; n += 1) {
      const open = clients.filter(({ asked }) => asked < 2);
      if (open.length < 10) clients.push(...clientsHolding(1));
      open[n % open.length]!.hold(5);
      most = Math.max(
        most,
        clients.reduce((sum, { heldBytes }) => sum + heldBytes, 0),
      );
    }
    expect(clients.some(({ asked }) => asked === 2)).toBe(true);
    // Those who were asked have until then to go by themselves.
    expect(most).toBeLessThanOrEqual(1_000 + 2 * (1_000 / 16) + 5);
  });
});

describe('below it', () => {
  test('nobody is asked, however much comes, as long as it leaves again', () => {
    const [client] = clientsHolding(500);
    for (let n = 0; n < 1_000; n += 1) {
      client!.heldBytes = 0;
      client!.hold(500);
    }
    expect(client!.asked).toBe(0);
  });

  test('who is gone counts no more', () => {
    const [gone, other] = clientsHolding(900, 50);
    gone!.leave();
    other!.hold(900);
    expect(other!.asked).toBe(0);
  });

  test('whoever writes once more while giving up asks nobody else', () => {
    const [talkative, other] = clientsHolding(700, 200);
    talkative!.giveUp = () => {
      talkative!.asked += 1;
      talkative!.hold(500);
    };
    other!.hold(101);
    expect([talkative!.asked, other!.asked]).toEqual([1, 0]);
  });
});
