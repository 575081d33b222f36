import { setTimeout as delay } from 'node:timers/promises';
import { nowMs, rssMb, watchRss } from '../measure.mjs';

const FORMATS = {
  jsonl: { format: 'JSONL', bodies: {} },
  jsonlGzip: { format: 'JSONL', bodies: { compression: 'gzip' } },
  parquetSnappy: { format: 'PARQUET', bodies: { parquetCodec: 'snappy' } },
  parquetGzip: { format: 'PARQUET', bodies: { parquetCodec: 'gzip' } },
};

/** A million rows in each format: bytes, time, memory above idle, and how long the host's event loop is kept. */
export async function formats(stage, { scale }) {
  const rows = Math.ceil(1_000_000 * scale);
  const details = {};
  for (const [name, sink] of Object.entries(FORMATS)) details[name] = await pushed(stage, rows, sink);
  for (const one of Object.values(details)) one.ofJsonl = Number((one.megabytes / details.jsonl.megabytes).toFixed(3));
  return { figures: {}, details };
}

/** The heap is held to 96 MB, so that a body in memory would show as a crash. */
async function pushed(stage, rows, sink) {
  const platform = await stage.platform({ execArgv: ['--max-old-space-size=96'] });
  const agentIds = ['agt_bench_0'];
  await platform.ask('addSinks', { agentId: agentIds[0], urls: stage.urls(1), secret: stage.secret, ...sink });
  // Warm, so that what is counted is the body and not the first use of the code.
  await stage.receiver.ask('reset');
  await platform.ask('complete', { agentIds, jobs: 20, rows: 80, atOnce: 4, tag: 'ulidw' });
  await stage.received(20);
  await delay(2_000);
  const idleMb = rssMb(platform.pid);
  await stage.receiver.ask('reset');
  await platform.ask('loopDelay');
  const watch = watchRss(platform.pid);
  const startedAt = nowMs();
  await platform.ask('complete', { agentIds, jobs: 1, rows, atOnce: 1, tag: 'ulidl' });
  const { bytes } = await stage.received(1);
  const seconds = (nowMs() - startedAt) / 1000;
  const extraMb = Math.round(watch.stop() - idleMb);
  const loopDelayP99Ms = Number((await platform.ask('loopDelay')).toFixed(1));
  await stage.stop(platform);
  return { megabytes: Number((bytes / 1e6).toFixed(1)), seconds: Number(seconds.toFixed(1)), extraMb, loopDelayP99Ms };
}
