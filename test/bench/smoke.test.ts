import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

const FIGURES = [
  'claimCostRatio',
  'commitsIdle',
  'cpuAt100VsBullmq',
  'cpuAt20VsBullmq',
  'cpuFourWorkersVsOne',
  'embeddedPerSecond',
  'fanOutHttpVsBullmq',
  'fanOutVsBullmq',
  'fanOutVsClient',
  'fourWorkersVsOne',
  'hostLoopDelayP99Ms',
  'idleFirstByteP50Ms',
  'idleFirstByteP99Ms',
  'idleP50VsBullmq',
  'idleP99VsBullmq',
  'isolationP99Ratio',
  'millionRowsExtraRssMb',
  'millionRowsVsReadyFile',
  'oneEndpointHttpVsBullmq',
  'oneEndpointVsBullmq',
  'redisPerDelivery',
  'settledRowsPlanRatio',
  'sqlPerDelivery',
  'statementsIdle',
  'tenantsVsBullmq',
  'twoWorkersVsOne',
];

/** A hundredth of a bench. How fast it is says nothing; that nothing was lost or wrong, the bench checks itself. */
it('the bench runs, part by part, and gives every figure', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'data-sinks-smoke-'));
  try {
    const file = join(folder, 'figures.json');
    const parts = [
      '--only',
      'idle,steady,saturated,guards,large,fanout,isolation,workers,embedded',
      '--runs',
      '1',
      '--scale',
      '0.01',
    ];
    const bench = spawn(process.execPath, ['test/bench/bench.mjs', ...parts, '--json', file], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    expect(await once(bench, 'exit')).toEqual([0, null]);
    const { figures } = JSON.parse(await readFile(file, 'utf8')) as { figures: Record<string, number> };
    expect(Object.keys(figures).sort()).toEqual(FIGURES);
    for (const figure of Object.values(figures)) expect(figure).toBeGreaterThanOrEqual(0);
  } finally {
    await rm(folder, { recursive: true });
  }
});
