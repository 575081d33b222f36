import type { ReceivedRequest, Receiver } from '../../support/platform/receiver-process.js';
import { until } from '../../support/platform/until.js';
import { idOf, MessyCustomer, type MessyHost, received, SECRET } from './messy-customer.js';

export interface MessyStory {
  readonly story: unknown;
  /** Names of the headers of tracing, at a sink that asked for some. */
  readonly traced: readonly string[];
}

/** The customer's story, from the first sink to the last. @returns each answer, and each push as it came */
export async function storyOf(host: MessyHost, receiver: Receiver): Promise<MessyStory> {
  const customer = new MessyCustomer(host, 'agt_pro_story');
  const quiet = await receiver.endpoint([{ kind: 'answer' }], SECRET);
  const sink = `${customer.sinks}/${idOf(await customer.noted(customer.sinkAt(quiet)), 201)}`;
  await customer.noted({ path: `${customer.sinks}?limit=5` });
  await customer.noted({ path: sink });
  const test = JSON.parse((await customer.ask(customer.post(`${sink}/test`))).text) as { passed: boolean };

  await host.finish({ jobId: 'job_story', agentId: customer.agent, rows: 3 });
  const [delivery = ''] = await customer.settled(sink, 1);
  const [, push] = await quiet.received(2);
  await customer.noted({ path: `${sink}/deliveries?status=DELIVERED,FAILED&order=oldest` });
  await customer.noted({ path: `/deliveries/${delivery}` });
  await customer.noted({ path: `${sink}/syncs?limit=2` });
  for (const method of ['GET', 'HEAD']) {
    const headers = { 'Accept-Encoding': 'gzip' };
    await customer.noted({ method, path: `/deliveries/${delivery}/payload`, headers });
  }
  await customer.noted({ method: 'PATCH', path: sink, body: '{"name":"Another"}' });
  await customer.noted(customer.post(`${sink}/secret`, { value: `${SECRET}-new`, overlapHours: 1 }));
  // Whether it waits or is on its way already is chance.
  idOf(await customer.ask(customer.post(`/deliveries/${delivery}/redeliver`)), 202);
  await until(async () => (await quiet.received(3)).length === 3, 'it is redelivered');
  await customer.settled(sink, 1);
  await customer.noted({ method: 'DELETE', path: sink });

  // As curl sends it.
  const told = await receiver.endpoint([{ kind: 'answer' }], SECRET);
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const traced = await customer.noted({ ...customer.sinkAt(told, { sendTraceparent: true }), headers: form });
  await host.finish({ jobId: 'job_traced', agentId: customer.agent, rows: 1 });
  await customer.settled(`${customer.sinks}/${idOf(traced, 201)}`, 1);
  const story = {
    test: test.passed,
    answers: customer.notes,
    push: push && received(push),
    pushes: quiet.requests.length,
    tracing: quiet.requests.flatMap(tracingOf),
  };
  return { story, traced: (await told.received(1)).flatMap(tracingOf) };
}

const tracingOf = ({ rawHeaders }: ReceivedRequest): string[] =>
  rawHeaders.filter((name, i) => i % 2 === 0 && /^(traceparent|tracestate|baggage|b3)$/i.test(name));
