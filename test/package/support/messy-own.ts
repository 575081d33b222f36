import { ask, type Asked } from '../../support/guest/ask.js';
import { until } from '../../support/platform/until.js';

/** What the host's own people call. */
const OWN: readonly Asked[] = [
  { path: '/health' },
  { path: '/backend/v2/hotels?limit=3' },
  { path: '/backend/v2/hotels?limit=three' },
  { path: '/backend/v2/hotels?unknown=1' },
  { path: '/backend/v2/hotels/99' },
  { path: '/backend/v2/hotels', method: 'POST', body: '{"displayName":7,"starCount":"4"}' },
  { path: '/backend/v2/hotels', method: 'POST', body: '{"displayName":"Ritz","stars":4}' },
  {
    path: '/backend/v2/hotels',
    method: 'POST',
    body: JSON.stringify({ displayName: 'x'.repeat(2_000), starCount: 4 }),
  },
  {
    path: '/backend/v2/hotels',
    method: 'OPTIONS',
    headers: { Origin: 'https://app.platform.example', 'Access-Control-Request-Method': 'POST' },
  },
  { path: '/backend/who-am-i' },
  { path: '/backend/report', headers: { 'Accept-Encoding': 'gzip' } },
  { path: '/backend/v2/agents' },
  { path: '/backend/v2/deliveries/import', method: 'POST', body: '{"a":[1,"2"]}' },
  {
    path: '/backend/v2/deliveries/import',
    method: 'POST',
    body: 'a=1&b=2',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  },
  { path: '/backend/v2/agents/agt_pro_1/nothing-here' },
  { path: '/backend/v1/hotels' },
  { path: '/backend/v2/hotels', headers: { Authorization: 'Bearer mt_all' } },
  ...Array.from({ length: 13 }, () => ({ path: '/health' })),
];

/** The console asks for this one, too. */
const CONSOLES = '/backend/v2/agents';

/** Of the clock's time. */
const FLEETING = ['date', 'keep-alive', 'x-ratelimit-reset', 'retry-after'];

/** A host's own answers, to the byte. */
export async function ownAnswersOf(origin: string): Promise<unknown[]> {
  const headers = { Authorization: `Bearer ${await signIn(origin)}` };
  const answers: unknown[] = [];
  for (const asked of OWN) {
    const {
      status,
      headers: answered,
      bytes,
    } = await ask(origin, { ...asked, headers: { ...headers, ...asked.headers } });
    const lasting = Object.entries(answered).filter(([name]) => !FLEETING.includes(name));
    answers.push([asked, status, Object.fromEntries(lasting), bytes.toString('base64').slice(0, 400), bytes.length]);
  }
  return answers;
}

/** What becomes of a mail in the host's own queue. */
export async function ownQueueOf(origin: string): Promise<unknown> {
  const headers = { Authorization: `Bearer ${await signIn(origin)}` };
  await ask(origin, { method: 'POST', path: '/backend/v2/mails', headers });
  return until(async () => {
    const { text } = await ask(origin, { path: '/backend/v2/mails', headers });
    const { data } = JSON.parse(text) as { data: readonly unknown[] };
    return data.length === 2 && data;
  }, 'the mail is sent at the second try');
}

export async function signIn(origin: string): Promise<string> {
  const { text } = await ask(origin, { method: 'POST', path: '/backend/sign-in' });
  return (JSON.parse(text) as { data: string }).data;
}

interface Document {
  readonly paths: Readonly<Record<string, unknown>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

export async function documentOf(origin: string): Promise<Document> {
  return JSON.parse((await ask(origin, { path: '/docs-json' })).text) as Document;
}

/** A span as `messy-tracing.mjs` tells it. */
export interface MessySpan {
  readonly name: string;
  readonly id: string;
  readonly trace: string;
  readonly parent: string | null;
  readonly path: string | null;
  readonly address: string | null;
}

/** Of each request at the host's own routes, the names of the spans of its trace; the pool's connections come and go. */
export function ownTracesOf(spans: readonly MessySpan[]): readonly (readonly string[])[] {
  const paths = OWN.map(({ path }) => path.split('?')[0]);
  const roots = spans.filter(({ path, parent }) => parent === null && path !== CONSOLES && paths.includes(path ?? ''));
  return roots.map(({ trace }) =>
    spans
      .filter((span) => span.trace === trace && !/^(pg|tcp|dns)\.(connect|lookup)$/.test(span.name))
      .map(({ name }) => name.replace(/ data_sinks_test_\w+$/, ''))
      .sort(),
  );
}
