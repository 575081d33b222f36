/**
 * Every metric of the module: its kind, unit and meaning. The unit is part of the name, since some exporters to Prometheus
 * add it and some do not, and none adds it twice. `docs/operations.md` repeats this table; a test compares the two.
 */
export const METRICS = {
  'data_sinks.deliveries': ['counter', '', 'Deliveries that ended, by outcome: delivered, failed or cancelled.'],
  'data_sinks.attempts': ['counter', '', 'Attempts on record, by their status.'],
  'data_sinks.attempt.phase.duration_seconds': [
    'histogram',
    's',
    'Time of an attempt, by phase: dns, connect, tls, upload, wait or total.',
  ],
  'data_sinks.queue.depth': ['gauge', '', 'Deliveries by state, waiting or in_flight; at most 100,000 are counted.'],
  'data_sinks.queue.oldest_due_age_seconds': [
    'gauge',
    's',
    'For how long the oldest delivery has been due; 0 when none is.',
  ],
  'data_sinks.claim.size': [
    'histogram',
    '',
    'Deliveries taken by one claim; claims that find nothing are not counted.',
  ],
  'data_sinks.lease.expired': ['counter', '', 'Deliveries taken back from workers that were not heard of any more.'],
  'data_sinks.payload.built_bytes': ['counter', 'By', 'Bytes of the bodies that were made.'],
  'data_sinks.payload.cache': ['counter', '', 'Bodies looked for in memory, by result: hit or miss.'],
  'data_sinks.sinks.disabled': ['counter', '', 'Data sinks that were disabled, by reason.'],
} as const satisfies Record<
  string,
  readonly [kind: 'counter' | 'histogram' | 'gauge', unit: '' | 's' | 'By', text: string]
>;

export type MetricName = keyof typeof METRICS;
