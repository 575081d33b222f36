import { afterAll, beforeAll, jest } from '@jest/globals';
import { type Platform, type PlatformRequest, startPlatform } from './start-platform.js';

/** A first start on a busy machine takes its time; no test does. */
const START_LIMIT_MS = 300_000;
const TEST_LIMIT_MS = 300_000;

/**
 * One platform for all tests of a file, started before the first and stopped after the last.
 * @param request or what makes it, once what the file has started before is there
 */
export function suitePlatform(request: PlatformRequest | (() => PlatformRequest) = {}): () => Platform {
  let platform: Platform | null = null;
  jest.setTimeout(TEST_LIMIT_MS);
  beforeAll(async () => {
    platform = await startPlatform(typeof request === 'function' ? request() : request);
  }, START_LIMIT_MS);
  afterAll(() => platform?.stop(), START_LIMIT_MS);
  return () => {
    if (!platform) throw new Error('the platform runs within tests only');
    return platform;
  };
}
