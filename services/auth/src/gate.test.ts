import { expect, test } from '@jest/globals';
import { until } from '@parley/test-kit';
import { Gate } from './gate.ts';

const unavailable = { code: 'unavailable' };

/** A gate with what it tells, and work that ends when it is told to. */
function open(options: { atOnce: number; maxWaiting: number }) {
  const told = { waiting: 0, refused: 0 };
  const gate = new Gate({
    ...options,
    noticeWaiting: (waiting) => (told.waiting = waiting),
    noticeRefused: () => (told.refused += 1),
  });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  function ask(name: string, deadline = Infinity): Promise<string> {
    return gate.run(deadline, async () => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
      return name;
    });
  }
  function end(name: string): void {
    ends.get(name)!();
  }
  return { gate, told, begun, ask, end };
}

test('so much is under way at once, the rest waits for its turn, in order', async () => {
  const { told, begun, ask, end } = open({ atOnce: 2, maxWaiting: 2 });
  const answers = ['a', 'b', 'c', 'd'].map((name) => ask(name));
  await until('two are under way', () => begun.length === 2);
  expect(told).toEqual({ waiting: 2, refused: 0 });
  end('b');
  expect(await answers[1]).toBe('b');
  await until('the third is under way', () => begun.length === 3);
  expect(begun).toEqual(['a', 'b', 'c']);
  end('a');
  await until('the fourth is under way', () => begun.length === 4);
  expect(told.waiting).toBe(0);
  end('c');
  end('d');
  expect(await Promise.all(answers)).toEqual(['a', 'b', 'c', 'd']);
});

test('where too many wait the next is refused at once', async () => {
  const { told, begun, ask, end } = open({ atOnce: 1, maxWaiting: 1 });
  const [first, second] = [ask('first'), ask('second')];
  await expect(ask('third')).rejects.toMatchObject(unavailable);
  expect(told).toEqual({ waiting: 1, refused: 1 });
  end('first');
  await first;
  await until('the second is under way', () => begun.length === 2);
  end('second');
  await second;
  const later = ask('later');
  await until('there is room again', () => begun.includes('later'));
  end('later');
  expect(await later).toBe('later');
});

test('what nobody waits for any more is not begun, and makes room for others', async () => {
  const { told, begun, ask, end } = open({ atOnce: 1, maxWaiting: 1 });
  await expect(ask('late', Date.now())).rejects.toMatchObject(unavailable);
  const first = ask('first');
  const deadline = Date.now() + 20;
  const impatient = ask('impatient', deadline).catch((error: unknown) => error);
  await until('the deadline is over', () => Date.now() > deadline);
  const patient = ask('patient');
  expect(await impatient).toMatchObject(unavailable);
  end('first');
  await first;
  await until('the patient is under way', () => begun.includes('patient'));
  end('patient');
  expect(await patient).toBe('patient');
  expect(begun).toEqual(['first', 'patient']);
  expect(told).toEqual({ waiting: 0, refused: 2 });
});

test('work that fails makes room for the next', async () => {
  const { gate } = open({ atOnce: 1, maxWaiting: 1 });
  const failing = gate.run(Infinity, () => Promise.reject(new Error('broken')));
  const next = gate.run(Infinity, () => Promise.resolve('next'));
  await expect(failing).rejects.toThrow('broken');
  expect(await next).toBe('next');
});
