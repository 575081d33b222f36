import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { JobStore } from '../../src/reference-host/jobs/job-store.js';
import { startPlatform } from '../support/platform/start-platform.js';
import { until } from '../support/platform/until.js';

afterEach(() => {
  jest.restoreAllMocks();
});

describe('at shutdown', () => {
  it('a sweep that waits for the host is awaited no longer than the grace period', async () => {
    const asked = jest.spyOn(JobStore.prototype, 'listCompletedSince').mockReturnValue(new Promise(() => undefined));
    const platform = await startPlatform({ options: { shutdownGraceMs: 500 } });
    await until(() => asked.mock.calls.length > 0, 'the sweep waits for the host');
    // Without a limit this would never end: the host never answers.
    expect(asked).toHaveBeenCalled();
    await platform.stop();
  });
});
