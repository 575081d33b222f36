// The reference host with quicker waits, so that a cycle takes seconds: same wiring, same pipeline, same signals. Its
// parent orders what no API can: a completion that the data sinks are not told of, as when a host dies in between.
import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { JOB_COMPLETED_EVENT } from '../../../dist/src/data-sinks/index.js';
import { s3 } from '../../../dist/src/data-sinks/s3.js';
import { parseEnvironment } from '../../../dist/src/reference-host/environment.js';
import { HostLogger } from '../../../dist/src/reference-host/host-logger.js';
import { JobStore } from '../../../dist/src/reference-host/jobs/job-store.js';
import { seedWhenEmpty } from '../../../dist/src/reference-host/seed.js';
import { startHost } from '../../../dist/src/reference-host/start-host.js';

const { CHAOS_OPTIONS = '{}', CHAOS_SINGLE_PUT_BYTES, ...variables } = process.env;
const destinations = CHAOS_SINGLE_PUT_BYTES ? [s3({ singlePutBytes: Number(CHAOS_SINGLE_PUT_BYTES) })] : undefined;
Logger.overrideLogger(new HostLogger('log', false));
const { app, url } = await startHost(
  parseEnvironment(variables),
  JSON.parse(CHAOS_OPTIONS),
  destinations && { destinations },
);
const seeded = await seedWhenEmpty(app);

/** Commits a finished job as the host does, without `recordJobCompleted`: all that is left is the event, or not even that. */
async function commitUnrecorded({ jobId, agentId, workspaceId, rows, emit }) {
  const store = app.get(JobStore);
  const number = await store.open({ jobId, agentId, workspaceId });
  await store.append(number, 0, rows);
  const stats = { total: rows.length, matched: rows.length, unmatched: 0 };
  const completedAt = new Date();
  const rowsSha256 = createHash('sha256').update(jobId).digest();
  await app
    .get(DataSource)
    .transaction((transaction) => store.complete(transaction, number, { completedAt, ...stats, rowsSha256 }));
  if (emit) app.get(EventEmitter2).emit(JOB_COMPLETED_EVENT, { jobId, agentId, workspaceId, completedAt, stats });
}

/** How many of the worker's statements the connection that knows most of them has prepared. */
async function countPrepared() {
  const count = `SELECT count(*)::int AS count FROM pg_prepared_statements WHERE name LIKE 'data-sinks-%'`;
  const answers = await Promise.all(Array.from({ length: 5 }, () => app.get(DataSource).query(count)));
  return { prepared: Math.max(...answers.map(([row]) => row.count)) };
}

process.on('message', (order) => {
  const done = order === 'count prepared' ? countPrepared() : commitUnrecorded(order);
  done.then(
    (answer) => process.send({ done: true, ...answer }),
    (error) => process.send({ done: true, error: String(error) }),
  );
});
// Whoever started it is gone: nobody would ever stop it.
process.on('disconnect', () => process.exit(1));
process.send({ url, seeded });
