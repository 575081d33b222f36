import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { median, nowMs, rssMb, watchRss } from '../measure.mjs';

/** Large bodies: speed beside hash-and-send of a ready file of the same size, and memory with three sinks at once. */
export async function large(stage, { runs, scale }) {
  const million = Math.ceil(1_000_000 * scale);
  const speed = await speedOf(stage, runs, { million, twelve: Math.ceil(12_000 * scale) });
  const memory = await memoryOf(stage, million);
  return {
    figures: { millionRowsVsReadyFile: speed.ratio, millionRowsExtraRssMb: memory.extraMb },
    details: { ...speed.details, ...memory },
  };
}

async function speedOf(stage, runs, { million, twelve }) {
  const platform = await stage.platform();
  const agents = await stage.addAgents(platform, 1, 1);
  const folder = await mkdtemp(join(tmpdir(), 'data-sinks-bench-'));
  const sender = await stage.start('ready-file.mjs', { BENCH_CLIENT: JSON.stringify({ secret: stage.secret }) });
  const seconds = { million: [], twelve: [], file: [] };
  let bytes = 0;
  try {
    for (let run = 0; run <= runs; run++) {
      const small = await pushOne(stage, platform, agents, twelve, `t${run}x`);
      const big = await pushOne(stage, platform, agents, million, `m${run}x`);
      bytes = big.bytes;
      const file = join(folder, 'body.json');
      if (run === 0) await writeFile(file, Buffer.alloc(bytes, 'x'));
      await stage.receiver.ask('reset');
      const startedAt = nowMs();
      await sender.ask('send', { file, url: stage.urls(1)[0], tag: `r${run}` });
      await stage.received(1);
      if (run === 0) continue;
      seconds.file.push((nowMs() - startedAt) / 1000);
      seconds.million.push(big.seconds);
      seconds.twelve.push(small.seconds);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  await stage.stop(sender);
  await stage.stop(platform);
  const megabytes = bytes / 1e6;
  return {
    ratio: median(seconds.file) / median(seconds.million),
    details: {
      bodyMb: Math.round(megabytes),
      pushedMbPerSecond: seconds.million.map((s) => Math.round(megabytes / s)),
      readyFileMbPerSecond: seconds.file.map((s) => Math.round(megabytes / s)),
      twelveThousandRowsMs: seconds.twelve.map((s) => Math.round(s * 1000)),
    },
  };
}

async function pushOne(stage, platform, agentIds, rows, tag) {
  await stage.receiver.ask('reset');
  const startedAt = nowMs();
  await platform.ask('complete', { agentIds, jobs: 1, rows, atOnce: 1, tag });
  const { bytes } = await stage.received(1);
  return { bytes, seconds: (nowMs() - startedAt) / 1000 };
}

/** The heap is held to 96 MB, so that a body in memory would show as a crash. */
async function memoryOf(stage, rows) {
  const platform = await stage.platform({ execArgv: ['--max-old-space-size=96'] });
  const agentIds = await stage.addAgents(platform, 1, 3);
  // Warm, so that what is counted is the bodies and not the first use of the code.
  await stage.receiver.ask('reset');
  await platform.ask('complete', { agentIds, jobs: 20, rows: 80, atOnce: 4, tag: 'w' });
  await stage.received(60);
  await delay(2_000);
  const idleMb = rssMb(platform.pid);
  await stage.receiver.ask('reset');
  const watch = watchRss(platform.pid);
  await platform.ask('complete', { agentIds, jobs: 1, rows, atOnce: 1, tag: 'l' });
  await stage.received(3);
  const peakMb = watch.stop();
  await stage.stop(platform);
  return { extraMb: peakMb - idleMb, idleMb: Math.round(idleMb), peakMb: Math.round(peakMb) };
}
