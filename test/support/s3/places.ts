import { type AcceptableUrl, endpointUrls, type HostileUrl } from '../egress/endpoint-urls.js';

/** Where an S3 sink may be told to write, and what the names of that place resolve to. */
export interface Place {
  /** Fields of `config` that differ from a place that is fine. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly resolvesTo?: readonly string[] | undefined;
}

export interface HostilePlace extends Place {
  readonly pointer: string;
}

const LONGEST_PREFIX = 512;

const refused = (field: string, values: readonly unknown[]): HostilePlace[] =>
  values.map((value) => ({ config: { [field]: value }, pointer: `/config/${field}` }));
const fine = (field: string, values: readonly unknown[]): Place[] =>
  values.map((value) => ({ config: { [field]: value } }));

const BUCKETS = [
  ...[
    '..',
    '../other-bucket',
    'a..b',
    'a.-b',
    '-ab',
    'ab-',
    '.ab',
    'ab',
    'x'.repeat(64),
    'Acme',
    'a_b',
    'a b',
    'é-bucket',
  ],
  ...[
    'a/b',
    'a//b',
    'a\\b',
    'a%2eb',
    'a%2fb',
    'a@b.example.com',
    'a:b',
    'a:443',
    'a?b',
    'a#b',
    'abc\u0000',
    'ab\u202Ec',
    'a\nb',
  ],
  ...[
    '127.0.0.1',
    '192.168.0.1',
    '169.254.169.254',
    'xn--abc',
    'sthree-x',
    'acme-s3alias',
    'acme--x-s3',
    'acme--ol-s3',
    '',
  ],
  ...[null, 7, [], {}],
];
const PREFIXES = [
  ...[
    '/',
    '/a',
    'a//b',
    '//',
    'a/../b',
    '..',
    '../',
    '../other-tenant/',
    'in/../../other-tenant/',
    './a',
    'a/.',
    'a/./b',
  ],
  ...[
    'a\\b',
    '..\\b',
    'a\u0000b',
    'a\nb',
    'a\rb',
    'a\u007Fb',
    'a\u202Eb',
    'a\u200Bb',
    'a\u2028b',
    '\uFEFFa',
    '\ud800',
    'a\udfffb',
  ],
  ...[
    '%2e%2e/',
    'a%2e%2e/b',
    'a%2Fb',
    'a%00b',
    '%252e/',
    'x'.repeat(LONGEST_PREFIX + 1),
    'x/'.repeat(513),
    'é'.repeat(257),
  ],
  ...[7, [], {}],
];
const REGIONS = [
  '',
  'EU-WEST-1',
  'eu_west',
  'a/b',
  'a.b',
  '-a',
  'a-',
  'x'.repeat(33),
  'eu-west-1.evil.com',
  'a@b',
  'a:1',
  'a?b',
  'a#b',
  7,
];

/** Of webhooks, without their paths, which an endpoint of a store does not have. */
const ENDPOINTS: HostilePlace[] = endpointUrls.hostile.map(({ url, resolvesTo }: HostileUrl) => ({
  ...{ config: { endpointUrl: url.replace(/\/hook$/, '') }, pointer: '/config/endpointUrl', resolvesTo },
}));
const WITH_MORE = ['/path', '/?x=1', '/../x', '//', '/%2e%2e/x', '?x', '#x'].map(
  (more) => `https://store.example.com${more}`,
);

/** Names of buckets at AWS that lead into our network. */
const VIRTUAL_HOSTS: HostilePlace[] = endpointUrls.hostile
  .filter(({ resolvesTo }) => resolvesTo)
  .map(({ resolvesTo }, i) => ({ config: { bucket: `rebinding-${i}` }, pointer: '/config/bucket', resolvesTo }));

/** Places that every layer must refuse. */
export const HOSTILE_PLACES: readonly HostilePlace[] = [
  ...refused('bucket', BUCKETS),
  ...refused('prefix', PREFIXES),
  ...refused('region', REGIONS),
  ...refused('endpointUrl', [...WITH_MORE, 7, [], {}]),
  ...ENDPOINTS,
  ...VIRTUAL_HOSTS,
];

/** Those of them that may be in the database: what an address is, and what a name resolves to, may change after it was saved. */
export const SAVED_PLACES: readonly HostilePlace[] = [
  // PostgreSQL keeps no NUL.
  ...ENDPOINTS.filter(({ config }) => !String(config['endpointUrl']).includes('\0')),
  ...VIRTUAL_HOSTS,
];

/** Prefixes that a customer may want, down to the odd ones. */
export const FINE_PREFIXES: readonly string[] = [
  ...[
    '',
    'a',
    'a/',
    'a/b/c/',
    'date=2026-05-25/',
    'Größe/',
    '数据/',
    'عربي/',
    'שלום/',
    '😀/',
    'a b/',
    ' a/',
    'a+b@c,d;e/',
  ],
  ...[
    '.../',
    '.hidden/',
    'a..b/',
    '..a/',
    '~/',
    "!*'()/",
    '100%/',
    '50% off/',
    '&$=:?#[]/',
    '"quoted"/',
    '<xml>&amp;/',
    '{x}|^`/',
  ],
];

const originOf = ({ url, resolvesTo }: AcceptableUrl): Place => ({
  config: { endpointUrl: new URL(url).origin },
  resolvesTo,
});

/** Places that none may refuse. */
export const ACCEPTABLE_PLACES: readonly Place[] = [
  ...fine('bucket', [
    'abc',
    'x'.repeat(63),
    'a.b.c',
    '1-2',
    'my.bucket-1',
    '192.168.0.1a',
    '10.0.0.1.acme',
    'localhost',
    'internal',
  ]),
  ...fine('prefix', [...FINE_PREFIXES, 'x'.repeat(LONGEST_PREFIX), 'é'.repeat(256)]),
  ...fine('region', ['us-east-1', 'cn-north-1', 'us-gov-west-1', 'auto', 'x', 'x'.repeat(32)]),
  ...fine('endpointUrl', [null, 'https://account.r2.cloudflarestorage.com/', 'https://S3.Example.COM.:443']),
  ...endpointUrls.acceptable.map(originOf),
];

/** Ids of jobs that would lead out of a prefix, if keys were made of them as they are. */
export const HOSTILE_JOB_IDS: readonly string[] = [
  ...[
    '..',
    '../job-x',
    '../../other-tenant/job-x',
    '/root',
    '//x',
    'a/b',
    'a//b',
    './x',
    '.',
    'a\\b',
    '..\\x',
    '%2e%2e',
    '%2e%2e%2fx',
    '%00',
  ],
  ...[
    'a\u202Eb',
    'a\u200Bb',
    'a\u2028b',
    '\uFEFFx',
    'ü',
    '数',
    '😀',
    'a b',
    ' x ',
    'a?b#c',
    'a&b=c',
    'a;b',
    '\u0001',
    'a\r\nb',
    '<x>&amp;',
  ],
  ...[
    'x.jsonl',
    'x.run-2',
    'x.part-00001-of-00002',
    "!*'()~",
    'x'.repeat(255),
    '/'.repeat(80),
    '数'.repeat(26),
    '数'.repeat(28),
  ],
];
