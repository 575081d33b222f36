// What one writes first: a Bull job per delivery, repository.save() and find(), axios. It stores no payload: the body is
// made again for every delivery.
import 'reflect-metadata';
import { createHmac } from 'node:crypto';
import axios from 'axios';
import Bull from 'bull';
import { DataSource, EntitySchema } from 'typeorm';

const { databaseUrl, redisUrl, secret } = JSON.parse(process.env.BENCH_NAIVE);

const text = { type: 'text' };
const Sink = new EntitySchema({ name: 'sink', columns: { id: { ...text, primary: true }, agentId: text, url: text } });
const Delivery = new EntitySchema({
  name: 'delivery',
  columns: { id: { ...text, primary: true }, sinkId: text, jobId: text, rows: { type: 'int' }, status: text },
});
const Attempt = new EntitySchema({
  name: 'attempt',
  columns: {
    id: { type: 'int', primary: true, generated: true },
    deliveryId: text,
    status: text,
    httpStatus: { type: 'int', nullable: true },
    startedAt: { type: 'timestamptz' },
    finishedAt: { type: 'timestamptz', nullable: true },
  },
});

let statements = 0;
const source = await new DataSource({
  type: 'postgres',
  url: databaseUrl,
  extra: { max: 10 },
  entities: [Sink, Delivery, Attempt],
}).initialize();
await source.query(`CREATE TABLE sink (id text PRIMARY KEY, "agentId" text, url text)`);
await source.query(`CREATE TABLE delivery (id text PRIMARY KEY, "sinkId" text, "jobId" text, rows int, status text)`);
await source.query(`CREATE TABLE attempt (id serial PRIMARY KEY, "deliveryId" text, status text, "httpStatus" int,
  "startedAt" timestamptz, "finishedAt" timestamptz)`);
const prototype = source.driver.createQueryRunner('master').constructor.prototype;
const query = prototype.query;
prototype.query = function (...args) {
  statements++;
  return query.apply(this, args);
};

const [sinks, deliveries, attempts] = [Sink, Delivery, Attempt].map((entity) => source.getRepository(entity));
const queue = new Bull('naive', redisUrl);

function bodyOf(jobId, rows) {
  return JSON.stringify({
    jobId,
    agentId: 'agt_bench',
    workspaceId: 'ws_bench',
    completedAt: '2026-05-25T12:34:56Z',
    stats: { total: rows, matched: rows, unmatched: 0 },
    results: Array.from({ length: rows }, (_, i) => ({
      partnerRowId: `row_${String(i).padStart(26, '0')}`,
      referenceHotelId: `ref_${String(i).padStart(26, '0')}`,
      matchMethod: 'STANDARD',
      matchConfidence: null,
    })),
  });
}

queue.process(64, async ({ data }) => {
  const delivery = await deliveries.findOneByOrFail({ id: data.deliveryId });
  const sink = await sinks.findOneByOrFail({ id: delivery.sinkId });
  const attempt = await attempts.save({ deliveryId: delivery.id, status: 'IN_FLIGHT', startedAt: new Date() });
  const body = bodyOf(delivery.jobId, delivery.rows);
  const response = await axios.post(sink.url, body, {
    headers: {
      'content-type': 'application/json',
      'x-mt-delivery-id': delivery.id,
      'x-mt-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    },
    timeout: 30_000,
    validateStatus: () => true,
  });
  await attempts.save({ ...attempt, status: 'SUCCEEDED', httpStatus: response.status, finishedAt: new Date() });
  await deliveries.save({ ...delivery, status: 'DELIVERED' });
});

const actions = {
  async addSinks({ agentId, urls }) {
    await sinks.insert(urls.map((url, i) => ({ id: `${agentId}_${i}`, agentId, url })));
  },
  async complete({ agentIds, jobs, rows, atOnce, tag }) {
    let next = 0;
    const completeNext = async () => {
      while (next < jobs) {
        const n = next++;
        for (const sink of await sinks.findBy({ agentId: agentIds[n % agentIds.length] })) {
          const id = `dlv_${tag}_${n}_${sink.id}`;
          await deliveries.save({ id, sinkId: sink.id, jobId: `job_${tag}${n}`, rows, status: 'PENDING' });
          await queue.add({ deliveryId: id }, { removeOnComplete: true });
        }
      }
    };
    await Promise.all(Array.from({ length: atOnce }, completeNext));
  },
  statements: async () => statements,
};

process.on('message', async ({ call, ask, ...parameters }) => {
  try {
    process.send({ call, answer: await actions[ask](parameters) });
  } catch (error) {
    process.send({ call, error: String(error?.stack ?? error) });
  }
});
process.on('disconnect', () => process.exit());
process.send({ ready: process.pid });
