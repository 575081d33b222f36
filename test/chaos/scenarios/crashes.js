// @ts-check
import { newJobId, resultRows } from '../harness/platform.js';
import { until } from '../harness/until.js';

/** @typedef {import('./scenario.js').Scenario} Scenario */

/** @type {readonly { failpoint: string, fault: string, promise: string, jobs?: number, rows?: number }[]} */
const KILLS = [
  {
    failpoint: 'after-recorded:4',
    fault: 'SIGKILL in step 2, deliveries written, the host’s transaction open',
    promise: 'neither the job nor its deliveries exist, and the caller sends the job again',
  },
  {
    failpoint: 'after-committed:4',
    fault: 'SIGKILL after step 2, deliveries committed, nobody woken',
    promise: 'another worker’s poll finds them',
  },
  {
    failpoint: 'after-woken:4',
    fault: 'SIGKILL after step 3, wake-up sent',
    promise: 'another worker claims what was due',
  },
  {
    failpoint: 'after-claimed:3',
    fault: 'SIGKILL after step 4, deliveries leased',
    promise: 'they go on when their leases have run out',
  },
  {
    failpoint: 'mid-build',
    fault: 'SIGKILL in step 5a, half of a large body stored',
    promise: 'another worker makes the body anew, from its first byte',
    jobs: 6,
    rows: 24_000,
  },
  {
    failpoint: 'after-prepared:5',
    fault: 'SIGKILL in step 5, body stored and signed, no attempt row',
    promise: 'another worker sends the stored bytes',
  },
  {
    failpoint: 'after-opened:5',
    fault: 'SIGKILL in step 5, attempt row open, request not sent',
    promise: 'the row is closed as ABANDONED and another attempt made',
  },
  {
    failpoint: 'after-posted:5',
    fault: 'SIGKILL after step 5, answer not on record',
    promise: 'the delivery is sent once more under the same id',
  },
  {
    failpoint: 'after-closed:5',
    fault: 'SIGKILL after step 6, attempt and delivery closed',
    promise: 'what is on record stays so and is not sent again; its end is audited',
  },
  {
    failpoint: 'after-audited',
    fault: 'SIGKILL after step 6, ends written into the audit trail, the outbox not emptied',
    promise: 'the trail has each of them once',
  },
];

/** A SIGKILL in or after each step of a delivery: what `npm test` plays. @type {readonly Scenario[]} */
export const STEPS = KILLS.map(({ failpoint, fault, promise, jobs = 30, rows = 1 }) => ({
  fault,
  promise,
  standing: true,
  play: async (stage) => {
    const [victim] = await stage.start({ name: 'victim', failpoint });
    stage.faultWhenEnds(victim);
    // It wakes itself first, so that it gets its share; what comes after its death goes to the others.
    await stage.finishJobs(jobs, { rows, at: [victim] });
    await stage.untilKilled(victim);
    await stage.untilClear();
  },
}));

/** @type {readonly Scenario[]} */
const others = [
  {
    fault: 'SIGKILL after step 1, event heard, nothing recorded',
    promise: 'the sweeper makes the deliveries, once',
    standing: true,
    play: async (stage) => {
      const others = [...stage.workers];
      const [victim] = await stage.start({ name: 'victim', failpoint: 'after-heard' });
      await stage.finishJobs(10, { at: others });
      stage.faultWhenEnds(victim);
      victim.child.send(stage.accept({ jobId: newJobId(), rows: resultRows(3), emit: true }));
      await stage.untilKilled(victim);
      await stage.untilClear();
      await recoveredBy(1, ...others);
    },
  },
  {
    fault: 'SIGKILL of the host between its commit and its emit',
    promise: 'the sweepers of two workers make the deliveries, once',
    standing: true,
    play: async (stage) => {
      // Its own sweeper would find them, too.
      const [victim] = await stage.start({ name: 'victim', options: { worker: false } });
      const jobIds = Array.from({ length: 5 }, newJobId);
      for (const jobId of jobIds) await victim.ask(stage.accept({ jobId, rows: resultRows(3), emit: false }));
      victim.signal('SIGKILL');
      stage.fault();
      await stage.finishJobs(10);
      await stage.untilClear();
    },
  },
  {
    fault: 'SIGKILL in step 5c, in the middle of an upload',
    promise: 'the attempt is closed as ABANDONED and the same bytes are sent again',
    play: async (stage) => {
      const [victim] = await stage.start({ name: 'victim' });
      await stage.receiver({ bytesPerSecond: 50_000 });
      await stage.finishJobs(1, { rows: 20_000 });
      await stage.untilReceiver('an upload begins', (ledger) => ledger.length > 0);
      victim.signal('SIGKILL');
      stage.fault();
      await stage.receiver({ bytesPerSecond: 0 });
      await stage.start({ name: 'survivor' });
      await stage.untilClear();
      await stage.expectAttempts(`status = 'ABANDONED' AND error_code = 'worker_lost' AND worker_id = 'victim'`);
    },
  },
  {
    fault: 'SIGKILL in step 7, expired leases taken back, nobody woken',
    promise: 'another worker’s poll finds what the sweep gave back',
    play: async (stage) => {
      const [victim, sweeper] = await stage.start(
        { name: 'victim', failpoint: 'after-opened:5' },
        { name: 'sweeper', failpoint: 'mid-sweep' },
      );
      stage.faultWhenEnds(victim);
      // Both may be gone before all jobs are taken: the others are the survivor's.
      const feeding = stage.finishJobs(30);
      await stage.untilKilled(victim);
      await stage.untilKilled(sweeper);
      await stage.start({ name: 'survivor' });
      await feeding;
      await stage.untilClear();
    },
  },
];

/** Every step of a delivery (ARCHITECTURE.md). @type {readonly Scenario[]} */
export const CRASHES = [...STEPS, ...others];

/**
 * @param {number} jobs
 * @param {readonly import('../harness/process.js').Process[]} workers
 */
async function recoveredBy(jobs, ...workers) {
  // One line for all that a sweep finds.
  const lines = () => workers.flatMap((worker) => worker.logged('completion.recovered'));
  const recovered = () => lines().reduce((sum, { completions }) => sum + Number(completions), 0);
  await until(`${jobs} completions are logged as recovered`, () => recovered() === jobs);
}
