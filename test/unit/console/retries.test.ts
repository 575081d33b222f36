import { expect, it } from '@jest/globals';
import { whenRetriesEnd } from '../../../src/console/page/text/retries.js';

it.each([
  [0, /^A push that fails is not tried again\. What has failed by then is sent again with Recover\.$/],
  [1, /^With 1 retry, a push is tried again for 5 s after its first failure\./],
  [2, /^With 2 retries, a push is tried again for 35 s after its first failure\./],
  [4, /^With 4 retries, a push is tried again for 10 min 35 s after its first failure\./],
])('the console says when %i retries end', (retries, says) => {
  expect(whenRetriesEnd(retries)).toMatch(says);
});
