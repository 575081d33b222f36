import { BullModule, getQueueToken } from '@nestjs/bull';
import type { Queue, QueueOptions } from 'bull';
import { ConfigurationError } from './domain/errors.js';
import type { WakeupAdapter } from './settings/structure.js';
import { BullWakeup, RECONNECT, WAKEUP_PREFIX, WAKEUP_QUEUE, WAKEUP_SETTINGS } from './queue/wakeup/bull.wakeup.js';
import { Wakeup } from './queue/wakeup/wakeup.js';
import { Outages } from './telemetry/outages.js';

type RedisOptions = Exclude<NonNullable<QueueOptions['redis']>, string>;

/**
 * The Redis connection for wake-ups: one of `url`, `redis` or `createClient` is required. The host's
 * `BullModule.forRoot()` has no effect on it.
 */
export interface BullWakeupOptions {
  /**
   * Name of the queue. Two modules in one process that must not wake each other need two names. @default
   * 'data-sinks-wakeup'
   */
  readonly queue?: string;
  /** Key prefix in Redis; the braces keep all keys in one Cluster slot. @default '{data-sinks}' */
  readonly prefix?: string;
  /** `redis://` or `rediss://`. */
  readonly url?: string;
  /** Options of ioredis, such as TLS and Sentinel; combined with the URL. */
  readonly redis?: RedisOptions;
  /** For a Redis Cluster: creates the clients for Bull. The host must close them at shutdown. */
  readonly createClient?: QueueOptions['createClient'];
}

/**
 * The `wakeup` of `DataSinksModule` for several worker processes: uses Bull on Redis.
 * @throws ConfigurationError when no Redis is configured
 * @example DataSinksModule.forRoot({ …, wakeup: bullWakeup({ url: 'redis://redis:6379' }) })
 */
export function bullWakeup(options: BullWakeupOptions = {}): WakeupAdapter {
  const { queue = WAKEUP_QUEUE, prefix = WAKEUP_PREFIX, url, createClient } = options;
  if (!url && !options.redis && !createClient) {
    throw new ConfigurationError(
      'bullWakeup needs a Redis: set url, such as redis://redis:6379, or redis or createClient',
    );
  }
  // Bull takes host, port and password from a rediss:// URL, but ignores TLS.
  const redis = { ...RECONNECT, ...(url?.startsWith('rediss:') && { tls: {} }), ...options.redis };
  const connection = { redis, ...(url && { url }), ...(createClient && { createClient }) };
  // A named configuration: without one, @nestjs/bull would merge in the host's BullModule.forRoot().
  const configKey = `nestjs-data-sinks ${prefix} ${queue}`;
  return {
    imports: [
      BullModule.forRoot(configKey, {}),
      BullModule.registerQueue({
        ...{ name: queue, configKey, prefix, settings: WAKEUP_SETTINGS, skipVersionCheck: true },
        ...connection,
      }),
    ],
    provider: {
      provide: Wakeup,
      inject: [getQueueToken(queue), Outages],
      useFactory: (bull: Queue, outages: Outages) => new BullWakeup(bull, outages),
    },
  };
}
