import { randomBytes } from 'node:crypto';
import { type Child, startChild } from './child.js';
import { demoRows, MATCHED, TOTAL } from './demo-rows.js';
import {
  type DeliverySeen,
  type JobFinished,
  PlatformClient,
  type SinkSaved,
  type TestAnswer,
} from './platform-client.js';
import { type Received, verifyPromises } from './promises.js';
import { grouped, type Terminal } from './terminal.js';

export interface Stage {
  /** Empty. */
  readonly dataDir: string;
  readonly terminal: Terminal;
  /** Called for each started process, so that it is always stopped. */
  readonly onChild: (child: Child) => void;
}

/** @throws Error that says which promise was broken */
export async function playStory(stage: Stage): Promise<void> {
  const { terminal } = stage;
  const secret = randomBytes(32).toString('base64url');
  terminal.title('A finished mapping job reaches the customer’s endpoint, signed, retried and on record');

  const { client, agentPath } = await startPlatform(stage);
  const { receiver, url } = await startReceiver(stage, secret);

  terminal.begin('Create the sink');
  const sink = await client.post<SinkSaved>(`${agentPath}/data-sources`, {
    role: 'RESULTS_SINK',
    type: 'HTTPS_WEBHOOK',
    name: 'Internal BI ingest',
    config: { url, authScheme: 'HmacSha256' },
    secret: { value: secret },
    format: 'JSON',
  });
  terminal.result(`${sink.id}, secret ${sink.secret.hint ?? 'hidden'}`);
  const sinkPath = `${agentPath}/data-sources/${sink.id}`;

  terminal.begin('Press Test: a synthetic payload, signed like a real one');
  const test = await client.post<TestAnswer>(`${sinkPath}/test`);
  const tested = await nextReceived(receiver);
  if (!test.passed || !tested.test || !tested.signatureValid)
    throw new Error(`the test failed: ${test.advice ?? 'no advice'}`);
  terminal.result(
    `passed: the receiver verified the signature and answered ${tested.answered} in ${test.timings.totalMs} ms`,
  );

  terminal.begin('Switch the rule on and activate the agent');
  const rules = { data_sinks: { auto_push_on_job_complete: true, retry_failed_push: 2 } };
  const { version } = await client.post<{ version: number }>(`${agentPath}/rule-sets`, rules);
  const { status } = await client.post<{ status: string }>(`${agentPath}/activate`);
  terminal.result(`auto_push_on_job_complete is true in rule set ${version}; the agent is ${status}`);

  const job = await finishJob(terminal, client, agentPath);
  await followDelivery(terminal, client, receiver, sinkPath, job);
}

async function startPlatform({
  terminal,
  dataDir,
  onChild,
}: Stage): Promise<{ client: PlatformClient; agentPath: string }> {
  terminal.begin('Start the platform on an empty embedded database');
  const startedAt = performance.now();
  const host = startChild('./demo-host.js', { DATA_DIR: dataDir, PORT: '0', ALLOW_PRIVATE_ENDPOINTS: '127.0.0.0/8' });
  onChild(host);
  const progress = setInterval(() => terminal.update(`creating the database … ${seconds(startedAt)}`), 100);
  try {
    const token = await host.waitFor('the platform', (line) => /TOKEN='(mt_[\w-]+)'/.exec(line)?.[1] ?? null, 60_000);
    const agentUrl = await host.waitFor('the platform', (line) => /AGENT='(http[^']+)'/.exec(line)?.[1] ?? null, 5_000);
    const { origin, pathname } = new URL(agentUrl);
    terminal.result(`${origin}, a Pro Max workspace and a draft agent, after ${seconds(startedAt)}`);
    return { client: new PlatformClient(origin, token), agentPath: pathname.replace('/api/v1', '') };
  } finally {
    clearInterval(progress);
  }
}

async function startReceiver({ terminal, onChild }: Stage, secret: string): Promise<{ receiver: Child; url: string }> {
  terminal.begin('Start the customer’s receiver, a process of its own');
  const receiver = startChild('./demo-receiver.js', { DEMO_SECRET: secret });
  onChild(receiver);
  const port = await receiver.waitFor(
    'the receiver',
    (line) => /"listening","port":(\d+)/.exec(line)?.[1] ?? null,
    15_000,
  );
  const url = `http://127.0.0.1:${port}/mapping-results`;
  terminal.result(`${url}, verifies X-MT-Signature with nothing but node:crypto`);
  return { receiver, url };
}

async function finishJob(terminal: Terminal, client: PlatformClient, agentPath: string): Promise<JobFinished> {
  terminal.begin(`Finish a mapping job of ${grouped(TOTAL)} rows`);
  const job = await client.postRows<JobFinished>(
    `${agentPath}/mapping-jobs`,
    demoRows((sent) => terminal.update(`${progressBar(sent / TOTAL)} ${grouped(sent)} rows`)),
  );
  const { total, matched, unmatched } = job.stats;
  terminal.result(`${job.jobId}: ${grouped(total)} rows, ${grouped(matched)} matched, ${grouped(unmatched)} unmatched`);
  if (total !== TOTAL || matched !== MATCHED) throw new Error(`the platform counted ${matched} matched of ${total}`);
  return job;
}

async function followDelivery(
  terminal: Terminal,
  client: PlatformClient,
  receiver: Child,
  sinkPath: string,
  job: JobFinished,
): Promise<void> {
  terminal.begin('The push, by itself: first attempt');
  const first = await nextReceived(receiver, 1);
  terminal.result(
    `the receiver got ${grouped(first.bytes)} bytes and answered ${first.answered}: it is just restarting`,
  );

  terminal.begin('The wait before the retry');
  const waiting = await until(client, sinkPath, job.jobId, (delivery) => delivery.status === 'RETRYING');
  const dueAt = Date.parse(waiting.nextAttemptAt ?? '');
  const countdown = setInterval(
    () => terminal.update(`next attempt in ${Math.max(0, (dueAt - Date.now()) / 1_000).toFixed(1)} s`),
    100,
  );
  const second = await nextReceived(receiver, 2).finally(() => clearInterval(countdown));
  terminal.result(`over: the second attempt arrived`);

  terminal.begin('Second attempt');
  terminal.result(`the receiver got ${grouped(second.bytes)} bytes and answered ${second.answered}`);
  const delivered = await until(
    client,
    sinkPath,
    job.jobId,
    ({ status }) => status !== 'RETRYING' && status !== 'IN_FLIGHT',
  );
  verifyPromises(terminal, delivered, [first, second]);
}

/** The receiver's report of the Test, or of the push's attempt with that number. */
function nextReceived(receiver: Child, attempt?: number): Promise<Received> {
  const accept = (line: string): Received | null => {
    const received = JSON.parse(line) as Received;
    if (received.event !== 'received') return null;
    const wanted = attempt === undefined ? received.test : !received.test && received.attempt === attempt;
    return wanted ? received : null;
  };
  return receiver.waitFor(attempt === undefined ? 'the test' : `attempt ${attempt}`, accept, 20_000);
}

/** Polls the job's delivery until it has the wanted state. */
async function until(
  client: PlatformClient,
  sinkPath: string,
  jobId: string,
  wanted: (delivery: DeliverySeen) => boolean,
): Promise<DeliverySeen> {
  const { items } = await client.get<{ items: { id: string }[] }>(`${sinkPath}/deliveries?jobId=${jobId}`);
  const [only, ...others] = items;
  if (!only || others.length > 0) throw new Error(`the job has ${items.length} deliveries instead of one`);
  const deadline = performance.now() + 15_000;
  for (;;) {
    const delivery = await client.get<DeliverySeen>(`/deliveries/${only.id}`);
    if (wanted(delivery)) return delivery;
    if (performance.now() > deadline) throw new Error(`the delivery stays ${delivery.status}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1_000).toFixed(1)} s`;
}

function progressBar(part: number): string {
  const filled = Math.round(part * 24);
  return `[${'#'.repeat(filled)}${'.'.repeat(24 - filled)}]`;
}
