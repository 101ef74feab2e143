import Sequencer from '@jest/test-sequencer';

/**
 * What takes longest, longest first: begun last, it would go on alone when all others have ended. The rest follows as jest orders it, by
 * the size of the files where no earlier run has told it how long they take.
 */
const longest = [
  'bench/src/scenarios/scenarios.test.ts',
  'test/files-memory.test.ts',
  'apps/web/test/screens.test.ts',
  'test/files-faults.test.ts',
  'apps/cli/src/admin/admin.test.ts',
  'apps/web/test/files.test.ts',
  'packages/client/test/browser.test.ts',
  'test/fuzz/fuzz.test.ts',
  'test/attacks.test.ts',
  'test/fuzz/reading.test.ts',
  'apps/web/test/talk.test.ts',
  'test/conformance.test.ts',
  'services/files/src/byte-store.test.ts',
];

export default class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const index = longest.findIndex((name) => path.endsWith(`/${name}`));
      return index === -1 ? longest.length : index;
    };
    return super.sort(tests).toSorted((one, other) => rank(one) - rank(other));
  }
}
