import { BullModule, getQueueToken } from '@nestjs/bull';
import type { Queue, QueueOptions } from 'bull';
import type { WakeupAdapter } from './data-sinks.structure.js';
import { BullWakeup, WAKEUP_PREFIX, WAKEUP_QUEUE } from './wakeup/bull.wakeup.js';
import { Wakeup } from './wakeup/wakeup.js';

type RedisOptions = Exclude<NonNullable<QueueOptions['redis']>, string>;

export interface BullWakeupOptions {
  /** Two modules in one process that must not wake each other have two queues. @default 'data-sinks-wakeup' */
  readonly queue?: string;
  /** Key prefix in Redis; braces keep a Cluster happy. @default '{data-sinks}' */
  readonly prefix?: string;
  /** `redis://` or `rediss://`. @default what the host gave to BullModule.forRoot() */
  readonly url?: string;
  /** ioredis' own options, such as TLS and Sentinel; they go beside the URL. */
  readonly redis?: RedisOptions;
  /** For a Redis Cluster: makes the clients, as Bull wants them. */
  readonly createClient?: QueueOptions['createClient'];
}

/** For `DataSinksModule`'s `wakeup`: several worker processes, woken through Bull on Redis. */
export function bullWakeup(options: BullWakeupOptions = {}): WakeupAdapter {
  const { queue = WAKEUP_QUEUE, prefix = WAKEUP_PREFIX, url, createClient } = options;
  // Bull reads host, port and password from a rediss:// URL, and forgets the TLS.
  const redis = url?.startsWith('rediss:') ? { tls: {}, ...options.redis } : options.redis;
  const connection = { ...(url && { url }), ...(redis && { redis }), ...(createClient && { createClient }) };
  return {
    imports: [BullModule.registerQueue({ name: queue, prefix, ...connection })],
    provider: {
      provide: Wakeup,
      inject: [getQueueToken(queue)],
      useFactory: (bull: Queue) => new BullWakeup(bull),
    },
  };
}
