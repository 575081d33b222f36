import type { Receiver } from '../../support/platform/receiver-process.js';
import { until } from '../../support/platform/until.js';
import { MessyCustomer, type MessyHost } from './messy-customer.js';

const FAIL = { kind: 'answer', status: 500 } as const;

/** Comes to every error of the catalogue. @returns each answer */
export async function catalogueOf(host: MessyHost, receiver: Receiver): Promise<MessyCustomer['notes']> {
  const customer = new MessyCustomer(host, 'agt_pro_errors');
  const all = [
    await requestErrors(customer, receiver),
    await tokenErrors(customer),
    await agentErrors(host, receiver),
    await recoveryErrors(host, receiver),
  ];
  return all.flat();
}

async function requestErrors(customer: MessyCustomer, receiver: Receiver): Promise<MessyCustomer['notes']> {
  const endpoint = await receiver.endpoint();
  const sink = await customer.made(endpoint);
  const { sinks } = customer;
  await customer.noted({ method: 'POST', path: sinks, body: '{"name":' });
  await customer.noted({ path: `${sinks}?cursor=none` });
  await customer.noted({ path: `${sinks}/ads_none` });
  await customer.noted({ method: 'POST', path: sinks, body: JSON.stringify({ name: 'x'.repeat(70_000) }) });
  await customer.noted({ method: 'POST', path: sinks, body: '<a/>', headers: { 'Content-Type': 'text/xml' } });
  await customer.noted({ path: `${sinks}?limit=abc&unknown=1` });
  await customer.noted({ method: 'PATCH', path: sink, body: '{"name":5,"nothing":true}' });
  const stale = { 'If-Match': '"0-ACTIVE"' };
  await customer.noted({ method: 'PATCH', path: sink, body: '{"name":"Stale"}', headers: stale });
  const elsewhere = { config: { url: endpoint.url.replace('127.0.0.1', '127.0.0.2'), authScheme: 'HmacSha256' } };
  await customer.noted({ method: 'PATCH', path: sink, body: JSON.stringify(elsewhere) });
  await customer.noted({ path: `${sink}/deliveries?status=GONE` });
  await customer.noted(customer.post(`${sink}/recover`, { since: '2020-01-01T00:00:00Z' }));
  await customer.host.finish({ jobId: 'job_errors', agentId: customer.agent, rows: 1 });
  const [delivery = ''] = await customer.settled(sink, 1);
  await customer.noted(customer.post(`/deliveries/${delivery}/cancel`));
  await customer.noted(customer.post(`${sink}/pushes`, { jobId: 'job_errors' }));
  await customer.noted(customer.post(`${sink}/pushes`, { jobId: 'job_of_nobody' }));
  const payload = { path: `/deliveries/${delivery}/payload` };
  customer.host.erase('job_errors');
  // One that is erased while it is sent ends early.
  const isGone = (): Promise<boolean> =>
    customer.ask(payload).then(
      ({ status }) => status === 410,
      () => false,
    );
  await until(isGone, 'the body is erased');
  await customer.noted(payload);
  for (let pressed = 0; pressed < 6; pressed++) await customer.ask(customer.post(`${sink}/test`));
  const { notes } = customer;
  const refused = await customer.ask(customer.post(`${sink}/test`));
  // How long it is to wait depends on the second of the minute.
  notes.push([
    'POST …/test',
    [refused.status, JSON.parse(refused.text).title, Number(refused.headers['retry-after']) > 0],
  ]);
  await customer.ask({ method: 'PATCH', path: sink, body: '{"status":"INACTIVE"}' });
  await customer.noted(customer.post(`${sink}/pushes`, { jobId: 'job_errors' }));
  return notes;
}

async function tokenErrors(customer: MessyCustomer): Promise<MessyCustomer['notes']> {
  const bodies = { mt_unknown: 'GET', mt_breaks: 'GET', mt_away: 'GET', mt_reads: 'POST' } as const;
  const all = Object.entries(bodies).map(async ([token, method]) => {
    const caller = customer.as(token);
    await caller.noted({ method, path: caller.sinks, ...(method === 'POST' && { body: '{}' }) });
    return caller.notes;
  });
  return (await Promise.all(all)).flat();
}

async function agentErrors(host: MessyHost, receiver: Receiver): Promise<MessyCustomer['notes']> {
  const [basic, paused, full] = [
    new MessyCustomer(host, 'agt_basic_1', 'mt_basic'),
    new MessyCustomer(host, 'agt_paused_1'),
    new MessyCustomer(host, 'agt_pro_full'),
  ];
  await basic.noted(basic.sinkAt(await receiver.endpoint()));
  const sink = await paused.made(await receiver.endpoint());
  await host.finish({ jobId: 'job_paused', agentId: paused.agent, rows: 1 });
  await paused.noted(paused.post(`${sink}/pushes`, { jobId: 'job_paused' }));
  for (let made = 0; made < 2; made++) await full.made(await receiver.endpoint());
  await full.noted(full.sinkAt(await receiver.endpoint()));
  return [basic, paused, full].flatMap(({ notes }) => notes);
}

async function recoveryErrors(host: MessyHost, receiver: Receiver): Promise<MessyCustomer['notes']> {
  const customer = new MessyCustomer(host, 'agt_pro_recovery');
  const endpoint = await receiver.endpoint([FAIL, FAIL, FAIL, FAIL, { kind: 'hold' }]);
  const sink = await customer.made(endpoint);
  const since = new Date(Date.now() - 3_600_000).toISOString();
  for (const jobId of ['job_1', 'job_2', 'job_3']) await host.finish({ jobId, agentId: customer.agent, rows: 1 });
  await host.finish({ jobId: 'job_4', agentId: customer.agent, rows: 1 });
  const [first = ''] = await customer.settled(sink, 4);
  await customer.noted(customer.post(`${sink}/recover`, { since }));
  await customer.ask(customer.post(`/deliveries/${first}/redeliver`));
  await endpoint.received(5);
  await customer.noted(customer.post(`/deliveries/${first}/redeliver`));
  const running = await customer.ask(customer.post(`${sink}/recover`, { since }));
  if (running.status !== 202) throw new Error(running.text);
  await customer.noted(customer.post(`${sink}/recover`, { since }));
  await endpoint.does([{ kind: 'answer' }]);
  await endpoint.release();
  await until(async () => (await customer.settled(sink, 4)).length === 4, 'the recovery has ended');
  return customer.notes;
}
