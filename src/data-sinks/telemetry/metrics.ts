/**
 * Every metric of the module: kind, unit and meaning. The unit is part of the name, since only some Prometheus
 * exporters append it, and none appends it twice. `docs/operations.md` repeats this table; a test compares the two.
 */
export const METRICS = {
  'data_sinks.deliveries': [
    'counter',
    '',
    'Deliveries that ended, by outcome (delivered, failed or cancelled) and the type of their sinks.',
  ],
  'data_sinks.attempts': [
    'counter',
    '',
    'Attempts on record, by their status, the type of their sinks and, unless they succeeded, their error_code.',
  ],
  'data_sinks.attempt.phase.duration_seconds': [
    'histogram',
    's',
    'Time of an attempt, by the type of its sink and phase: dns, connect, tls, upload, wait or total.',
  ],
  'data_sinks.queue.depth': ['gauge', '', 'Deliveries by state, waiting or in_flight; at most 100,000 are counted.'],
  'data_sinks.queue.lateness_seconds': [
    'gauge',
    's',
    'For how long the oldest delivery has been due that only our own side keeps from being sent, back-off after our own failures included; 0 when there is none.',
  ],
  'data_sinks.queue.held_back_age_seconds': [
    'gauge',
    's',
    'For how long the oldest delivery has been due that is held back, by disabled (its sink), circuit (its receiver is down), pace (maxPushesPerSecond) or cap (in flight).',
  ],
  'data_sinks.workers': ['gauge', '', 'Worker processes that were alive in the last 30 seconds.'],
  'data_sinks.database.up': ['gauge', '', 'Whether the database answers this process, and takes writes: 1 or 0.'],
  'data_sinks.redis.up': [
    'gauge',
    '',
    'Whether this process can wake others through Redis: 1 or 0; absent where none is used.',
  ],
  'data_sinks.outages': [
    'gauge',
    '',
    'Parts of our own side that do not work in this process now, by kind as in own_failures.',
  ],
  'data_sinks.own_failures': [
    'counter',
    '',
    'Failures of our own side, by kind: database, database_refuses, vault, port, redis, partitions, resolver or internal.',
  ],
  'data_sinks.claim.size': [
    'histogram',
    '',
    'Deliveries taken by one claim; claims that find nothing are not counted.',
  ],
  'data_sinks.lease.expired': ['counter', '', 'Deliveries taken back from workers that were not heard of any more.'],
  'data_sinks.payload.built_bytes': ['counter', 'By', 'Bytes of the bodies that were made.'],
  'data_sinks.payload.cache': ['counter', '', 'Bodies looked for in memory, by result: hit or miss.'],
  'data_sinks.sinks.disabled': ['counter', '', 'Data sinks that were disabled, by reason and type.'],
} as const satisfies Record<
  string,
  readonly [kind: 'counter' | 'histogram' | 'gauge', unit: '' | 's' | 'By', text: string]
>;

export type MetricName = keyof typeof METRICS;

export function metricOptions(name: MetricName): { readonly unit?: string; readonly description: string } {
  const [, unit, description] = METRICS[name];
  return { description, ...(unit !== '' && { unit }) };
}
