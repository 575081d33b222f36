import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../../src/data-sinks/core/errors.js';
import { type DataSinksOptions, resolveOptions } from '../../../src/data-sinks/data-sinks.options.js';

const thrown = (options: DataSinksOptions): unknown => {
  try {
    return resolveOptions(options);
  } catch (error) {
    return error;
  }
};

describe('the module’s options', () => {
  it('all have a default but the vault’s keys', () => {
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
      disableWithinMs: 86_400_000,
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
      requestsPerMinute: 600,
    });
    expect(workerId).toMatch(new RegExp(`:${process.pid}$`));
  });

  it('are frozen once resolved', () => {
    expect(Object.isFrozen(resolveOptions({}))).toBe(true);
  });

  it('are taken as given where they are given', () => {
    const given: DataSinksOptions = {
      vaultKeys: 'k1:…',
      entitledPlans: ['GOLD'],
      allowPrivateEndpoints: ['127.0.0.0/8'],
      allowedPorts: [443, 8443],
      trustedCertificates: ['-----BEGIN CERTIFICATE-----'],
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
        message: `${name} must be a whole number of at least ${min}, not ${String(value)}`,
      });
    }
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
