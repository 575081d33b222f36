import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, rssMb } from '../measure.mjs';
import { burst } from '../burst.mjs';

/** The same code on the embedded database and timers in the process. */
export async function embedded(stage, { runs, scale }) {
  const dataDir = await mkdtemp(join(tmpdir(), 'data-sinks-bench-'));
  const platform = await stage.platform({ dataDir: join(dataDir, 'pglite'), redis: false });
  try {
    const agentIds = await stage.addAgents(platform, 8, 1);
    const results = [];
    for (let run = 0; run <= runs; run++) {
      const result = await burst(stage, platform, {
        agentIds,
        jobs: Math.ceil(800 * scale),
        rows: 80,
        tag: `e${run}x`,
      });
      if (run > 0) results.push(result);
    }
    return {
      figures: { embeddedPerSecond: median(results.map((r) => r.perSecond)) },
      details: { perSecond: results.map((r) => Math.round(r.perSecond)), rssMb: Math.round(rssMb(platform.pid)) },
    };
  } finally {
    await stage.stop(platform);
    await rm(dataDir, { recursive: true, force: true });
  }
}
