// @ts-check
import sequencer from '@jest/test-sequencer';

/** @typedef {Parameters<InstanceType<typeof sequencer.default>['sort']>[0][number]} Test */

/** Suites that take minutes, most of them waiting: begun last, they would be waited for alone. */
const LONGEST = ['/matrix/closed-connections', '/matrix/chaos', '/chaos/', '/bench/', '/package/'];

/** Its types tell of the CommonJS build. @type {typeof sequencer.default} */
const TestSequencer = /** @type {never} */ (sequencer);

/** Jest's own order (on a machine that has not run them: by the size of their files), but for the longest. */
export default class LongestFirst extends TestSequencer {
  /** @override @param {Test[]} tests */
  async sort(tests) {
    return (await super.sort(tests)).toSorted((one, other) => place(one) - place(other));
  }
}

/** @param {Test} test */
function place({ path }) {
  const index = LONGEST.findIndex((part) => path.includes(`/test${part}`));
  return index === -1 ? LONGEST.length : index;
}
