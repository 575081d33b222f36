import { ofLatencies } from '../contest.mjs';
import { HOST_STATEMENTS } from '../front.mjs';
import { median, spread } from '../measure.mjs';

const PER_SECOND = 10;

/** A job every 100 ms to one endpoint, each in the host's transaction: how soon it arrives, and what it costs by itself. */
export async function idle(stage, { runs, scale, settledRows }) {
  const contest = await stage.contest({ settledRows, scale });
  const jobs = Math.ceil(350 * scale);
  const { ours, bullmq } = await contest.turns(runs, (name) => contest.pace(name, 'oneEndpoint', jobs, PER_SECOND));
  const alone = await contest.commits(() => contest.pace('ours', 'oneEndpoint', jobs, PER_SECOND), scale);
  const each = (results, p) => results.map((result) => ofLatencies([result])[p]);
  const all = { ours: ofLatencies(ours), bullmq: ofLatencies(bullmq) };
  return {
    figures: {
      idleP50VsBullmq: median(each(ours, 'p50')) / median(each(bullmq, 'p50')),
      idleP99VsBullmq: all.ours.p99 / all.bullmq.p99,
      idleFirstByteP50Ms: all.ours.p50,
      idleFirstByteP99Ms: all.ours.p99,
      commitsIdle: alone.flushes / jobs,
      statementsIdle: alone.statements / jobs - HOST_STATEMENTS,
    },
    details: {
      jobs: jobs * runs,
      oursP50Ms: spread(each(ours, 'p50')),
      bullmqP50Ms: spread(each(bullmq, 'p50')),
      p99Ms: { ours: all.ours.p99, bullmq: all.bullmq.p99 },
      cpuUs: { ours: ours.at(-1).cpuUs, bullmq: bullmq.at(-1).cpuUs },
    },
  };
}
