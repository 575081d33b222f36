import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { ConfigurationError } from '../../../src/data-sinks/domain/errors.js';
import { createAuthority } from '../../support/egress/certificates.js';
import { type DataSinksOptions, resolveOptions } from '../../../src/data-sinks/data-sinks.options.js';

const AUTHORITY = createAuthority('An authority').cert;

/** A comment, and the name of the property that it is of. */
const COMMENTED_OPTION = /\/\*\*((?:(?!\*\/)[^])*)\*\/\s*@Must(?:(?!readonly)[^])*readonly (\w+)/g;

const thrown = (options: DataSinksOptions): unknown => {
  try {
    return resolveOptions(options);
  } catch (error) {
    return error;
  }
};

describe('the module’s options', () => {
  it('all have a default except vaultKeys', () => {
    const { workerId, ...options } = resolveOptions({});
    expect(options).toEqual({
      vaultKeys: undefined,
      resolver: undefined,
      meterProvider: undefined,
      tracerProvider: undefined,
      entitledPlans: ['PRO_MAX', 'ENTERPRISE'],
      allowPrivateEndpoints: [],
      allowedPorts: [443],
      trustedCertificates: [],
      deadlines: {},
      worker: true,
      maxInFlight: 512,
      maxInFlightPerSink: 16,
      maxInFlightPerWorkspace: 256,
      pauseAfter: 5,
      pauseMs: 30_000,
      longestPauseMs: 300_000,
      preparedStatements: true,
      claimBatch: 128,
      leaseMs: 60_000,
      pollMs: 1_000,
      sweepMs: 10_000,
      maxAbandoned: 5,
      disableAfter: 5,
      disableAfterMs: 3_600_000,
      payloadRetentionMs: 604_800_000,
      erasePayloadsOnSuccess: false,
      attemptRetentionMs: 7_776_000_000,
      deliveryRetentionMs: 31_536_000_000,
      secretExpiringNoticeMs: 3_600_000,
      recoverWithinMs: 1_209_600_000,
      recoverAtMost: 10_000,
      missedCompletionsMs: 86_400_000,
      retryWaitsMs: [5_000, 30_000, 300_000],
      shutdownGraceMs: 25_000,
      payloadCacheBytes: 33_554_432,
      sinksPerAgent: 20,
      sinksPerWorkspace: 200,
      testsPerMinute: 6,
      pingOnSave: true,
      requestsPerMinute: 600,
      errorBase: 'https://mapping.travel/errors/',
    });
    expect(workerId).toMatch(new RegExp(`:${process.pid}:[0-9a-f]{8}$`));
  });

  it('are frozen once resolved', () => {
    expect(Object.isFrozen(resolveOptions({}))).toBe(true);
  });

  it('keep the given values', () => {
    const given: DataSinksOptions = {
      vaultKeys: 'k1:…',
      entitledPlans: ['GOLD'],
      allowPrivateEndpoints: ['127.0.0.0/8'],
      allowedPorts: [443, 8443],
      trustedCertificates: [`${AUTHORITY}${AUTHORITY}`],
      deadlines: { connectMs: 1, responseHeadersMs: 2_147_483_647 },
      worker: false,
      workerId: 'worker-1',
      maxInFlight: 1,
      secretExpiringNoticeMs: 3_600_000,
      missedCompletionsMs: 0,
      retryWaitsMs: [0],
      payloadCacheBytes: 0,
    };
    expect(resolveOptions(given)).toMatchObject(given);
  });

  it.each<[keyof DataSinksOptions, number]>([
    ['maxInFlight', 1],
    ['maxInFlightPerSink', 1],
    ['maxInFlightPerWorkspace', 1],
    ['disableAfter', 1],
    ['disableAfterMs', 0],
    ['pauseAfter', 1],
    ['claimBatch', 1],
    ['leaseMs', 1_000],
    ['pollMs', 10],
    ['sweepMs', 10],
    ['maxAbandoned', 1],
    ['missedCompletionsMs', 0],
    ['shutdownGraceMs', 0],
    ['payloadCacheBytes', 0],
    ['sinksPerAgent', 1],
    ['sinksPerWorkspace', 1],
    ['testsPerMinute', 1],
  ])('stop the boot when %s is not a whole number of at least %i', (name, min) => {
    expect(resolveOptions({ [name]: min })).toMatchObject({ [name]: min });
    for (const value of [min - 1, min + 0.5, Number.NaN, Number.POSITIVE_INFINITY, `${min}`, 2 ** 60]) {
      const error = thrown({ [name]: value });
      expect(error).toBeInstanceOf(ConfigurationError);
      expect(error).toMatchObject({
        code: 'configuration_invalid',
        message: `${name} must be a whole number of at least ${min}, not ${inspect(value)}`,
      });
    }
  });

  it.each<[string, unknown]>([
    ['has no option called maxInflight. Did you mean maxInFlight?', { maxInflight: 5 }],
    ['has no option called wait. It may have: vaultKeys, ', { wait: 5 }],
    ['disableWithinMs was replaced by disableAfterMs', { disableWithinMs: 86_400_000 }],
    ['disableWithinMs was replaced by disableAfterMs', { disableWithinMs: undefined }],
    ['deadlines.connectMs must be a whole number of at least 1, not NaN', { deadlines: { connectMs: Number.NaN } }],
    [
      'deadlines.responseHeadersMs must be a whole number of at least 1, not -5',
      { deadlines: { responseHeadersMs: -5 } },
    ],
    ['deadlines.tlsMs must be at most 2147483647, not 2147483648', { deadlines: { tlsMs: 2 ** 31 } }],
    ['deadlines has no option called bogus. It may have: dnsMs, connectMs', { deadlines: { bogus: 3 } }],
    ['deadlines must be an object', { deadlines: 5_000 }],
    ['pollMs must be at most 2147483647', { pollMs: 2 ** 31 }],
    ['allowedPorts must be a list of ports from 1 to 65535, without -1', { allowedPorts: [-1, 443] }],
    ['allowedPorts must be a list of ports from 1 to 65535, without 99999999', { allowedPorts: [99_999_999] }],
    ["without '443'", { allowedPorts: ['443'] }],
    ['allowedPorts must be a list of ports from 1 to 65535, not 443', { allowedPorts: 443 }],
    ['entry 1 of trustedCertificates is not a PEM certificate', { trustedCertificates: ['junk'] }],
    ['entry 2 of trustedCertificates has', { trustedCertificates: [AUTHORITY, AUTHORITY.replace(/\n.{40}/, '\n')] }],
    ['that cannot be read: give it whole', { trustedCertificates: [`${AUTHORITY}-----BEGIN CERTIFICATE-----`] }],
    ['trustedCertificates must be a list of PEM texts', { trustedCertificates: AUTHORITY }],
    ["worker must be true or false, not 'false'", { worker: 'false' }],
    ['preparedStatements must be true or false, not 0', { preparedStatements: 0 }],
    ['erasePayloadsOnSuccess must be true or false', { erasePayloadsOnSuccess: 'yes' }],
    ['workerId must be a text that names this process', { workerId: '' }],
    ['resolver must be a function', { resolver: {} }],
    [
      "allowPrivateEndpoints must be a list of ranges of addresses such as '127",
      { allowPrivateEndpoints: '10.0.0.0/8' },
    ],
    ["entitledPlans must be a list of plan names, without ''", { entitledPlans: [''] }],
    ['meterProvider must be an OpenTelemetry MeterProvider', { meterProvider: {} }],
    ['tracerProvider must be an OpenTelemetry TracerProvider', { tracerProvider: {} }],
    ...['', 'errors/', 'https://docs.example/errors', 'ftp://docs.example/', 'https://docs.example/a b/', 7].map(
      (errorBase): [string, unknown] => [
        "errorBase must be an https or http address that ends in '/', '#'",
        { errorBase },
      ],
    ),
    ['useFactory must return an object of options', undefined],
  ])('stop the boot: %s', (message, given) => {
    const error = thrown(given as DataSinksOptions);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as Error).message).toContain(message);
  });

  it('never show the vault’s keys', () => {
    const error = thrown({ vaultKeys: ['k1:the-key'] as unknown as string });
    expect(error).toMatchObject({ code: 'configuration_invalid', message: expect.not.stringContaining('the-key') });
  });

  it.each([[[]], [[-1]], [[1.5]], [[5_000, Number.NaN]]])('stop the boot when retryWaitsMs is %j', (retryWaitsMs) => {
    expect(thrown({ retryWaitsMs })).toMatchObject({
      name: 'ConfigurationError',
      message: 'retryWaitsMs must be a list of milliseconds with at least one entry',
    });
  });

  it.each([86_400_000, 90_000_000])(
    'stop the boot when deliveries are forgotten while missed ones are looked for',
    (ms) => {
      expect(thrown({ deliveryRetentionMs: 86_400_000, missedCompletionsMs: ms })).toMatchObject({
        name: 'ConfigurationError',
        message: 'deliveryRetentionMs must be longer than missedCompletionsMs',
      });
      expect(resolveOptions({ deliveryRetentionMs: ms + 1, missedCompletionsMs: ms })).toBeDefined();
    },
  );
});

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

/** By option, what its comment in the table of options says of it and of its default. */
const commented = new Map(
  [...read('src/data-sinks/data-sinks.options.ts').matchAll(COMMENTED_OPTION)].map(([, comment = '', name = '']) => {
    const [text = '', ...defaults] = comment
      .replace(/\n +\*/g, '')
      .trim()
      .split(' @default ');
    return [name, { text, defaults }];
  }),
);

describe('the comment of each option', () => {
  const resolved = resolveOptions({});

  it('is there, and says what the default is', () => {
    expect([...commented.keys()].sort()).toEqual(Object.keys(resolved).sort());
    for (const [name, { text, defaults }] of commented) {
      expect({ name, text, defaults }).toEqual({
        name,
        text: expect.stringMatching(/\.$/),
        defaults: [expect.any(String)],
      });
    }
  });

  /** Those of which the comment says in words where the default comes from. */
  const inWords = ['workerId', 'deadlines'];
  it.each(Object.entries(resolved).filter(([name, value]) => value !== undefined && !inWords.includes(name)))(
    'says of %s that its default is %j',
    (name, value) => {
      const [text = ''] = commented.get(name)?.defaults ?? [];
      expect(text.replace(/ \(.*\)$/, '')).toBe(inspect(value).replace(/^\[ (.*) \]$/, '[$1]'));
    },
  );

  it('is what docs/operations.md says, row by row', () => {
    const [, after = ''] = read('docs/operations.md').split('| option | default | what it does |\n|---|---|---|\n');
    const [table = ''] = after.split('\n\n');
    const rows = [...commented].map(([name, { text, defaults }]) => `| \`${name}\` | ${defaults.join()} | ${text} |`);
    expect(table.split('\n')).toEqual(rows);
  });
});
