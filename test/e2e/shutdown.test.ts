import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { JobStore } from '../../src/reference-host/jobs/job-store.js';
import { startPlatform } from '../support/platform/start-platform.js';
import { until } from '../support/platform/until.js';

afterEach(() => {
  jest.restoreAllMocks();
});

describe('at shutdown', () => {
  it('a sweep that waits for the host is waited for no longer than the grace', async () => {
    const asked = jest.spyOn(JobStore.prototype, 'listCompletedSince').mockReturnValue(new Promise(() => undefined));
    const platform = await startPlatform({ options: { shutdownGraceMs: 500 } });
    await until(() => asked.mock.calls.length > 0, 'the sweep waits for the host');
    const begunAt = performance.now();
    await platform.stop();
    expect(performance.now() - begunAt).toBeLessThan(15_000);
  }, 120_000);
});
