// @ts-check

/**
 * @typedef {import('./ledger.js').LedgerLine} LedgerLine
 * @typedef {{ id: string, data_source_id: string, job_id: string, run: number, part: number, part_count: number,
 *   status: string, reason: string | null, retries_spent: number, sha256: string | null }} DeliveryRow
 * @typedef {{ delivery_id: string, attempt_number: number, status: string, error_code: string | null,
 *   http_status: number | null, worker_id: string }} AttemptRow
 *
 * @typedef {object} Books what the database says when everything is over
 * @property {readonly { job_id: string, data_source_id: string }[]} wanted every finished job and each sink that wants it
 * @property {readonly DeliveryRow[]} deliveries
 * @property {readonly AttemptRow[]} attempts
 * @property {readonly { delivery_id: string, entries: number, redelivered: boolean }[]} audited the audit entries about the
 *   end of each delivery that has ended
 *
 * @typedef {object} Reckoning
 * @property {number} deliveries
 * @property {number} attempts
 * @property {number} lost finished jobs that did not arrive at a sink that wants them, or are not on record as delivered
 * @property {number} unrecorded POSTs that the receiver saw and no attempt row tells of
 * @property {number} differingBodies deliveries whose attempts did not all bring the recorded bytes
 * @property {number} doubleDeliveries deliveries beyond the first of one sink, job and run
 * @property {number} duplicatePosts successful POSTs beyond the first of a delivery
 * @property {number} unaudited deliveries that ended and of whose end the audit trail knows nothing
 * @property {string[]} oddities whatever else does not add up
 */

/**
 * @param {import('pg').Client} client
 * @param {Date} since the database's time; everything before is settled and was reckoned
 * @returns {Promise<Books>}
 */
export async function readBooks(client, since) {
  const { rows: wanted } = await client.query(
    `SELECT j.id AS job_id, s.id AS data_source_id FROM host_mapping_job j
       JOIN agent_data_source s ON s.agent_id = j.agent_id
      WHERE j.state = 'COMPLETED' AND s.status = 'ACTIVE' AND j.received_at >= $1`,
    [since],
  );
  const { rows: deliveries } = await client.query(
    `SELECT id, data_source_id, job_id, run, part, part_count, status, reason, retries_spent,
            encode(payload_sha256, 'hex') AS sha256
       FROM agent_data_source_delivery WHERE created_at >= $1`,
    [since],
  );
  const { rows: attempts } = await client.query(
    `SELECT delivery_id, attempt_number, status, error_code, http_status, worker_id
       FROM agent_data_source_sync WHERE started_at >= date_trunc('milliseconds', $1::timestamptz)`,
    [since],
  );
  const { rows: audited } = await client.query(
    `SELECT d.id AS delivery_id, d.trigger = 'REDELIVERY' AS redelivered, count(a.id)::int AS entries
       FROM agent_data_source_delivery d
       LEFT JOIN agent_data_source_audit a ON a.delivery_id = d.id AND a.action LIKE 'AGENT_RESULTS_PUSH%'
      WHERE d.created_at >= $1 AND d.settled_at IS NOT NULL GROUP BY d.id`,
    [since],
  );
  return { wanted, deliveries, attempts, audited };
}

/**
 * Compares what the tables say with what the receiver saw.
 * @param {Books} books
 * @param {readonly LedgerLine[]} ledger
 * @param {readonly string[]} accepted the jobs that the host said it had taken
 * @returns {Reckoning}
 */
export function reckon(books, ledger, accepted) {
  const posts = groupBy(ledger, (line) => line.delivery);
  return {
    deliveries: books.deliveries.length,
    attempts: books.attempts.length,
    lost: countLost(books, posts, accepted),
    unrecorded: countUnrecorded(books, ledger),
    differingBodies: books.deliveries.filter((delivery) => !sameBytes(delivery, posts.get(delivery.id) ?? [])).length,
    doubleDeliveries: countDoubles(books, ledger),
    duplicatePosts: [...posts.values()].reduce((sum, lines) => sum + Math.max(successes(lines).length - 1, 0), 0),
    unaudited: books.audited.filter(({ entries }) => entries === 0).length,
    oddities: [
      ...books.audited
        .filter(({ entries, redelivered }) => entries > 1 && !redelivered)
        .map(({ delivery_id, entries }) => `${delivery_id} has ${entries} audit entries about its end`),
      ...oddDeliveries(books, posts),
      ...oddAttempts(books, posts),
      ...oddPosts(ledger),
      ...oddParts(books, ledger),
    ],
  };
}

/** @param {Books} books @param {Map<string, LedgerLine[]>} posts @param {readonly string[]} accepted */
function countLost({ wanted, deliveries }, posts, accepted) {
  const arrived = groupBy(
    deliveries.filter(({ id, status }) => status === 'DELIVERED' && successes(posts.get(id) ?? []).length > 0),
    (delivery) => `${delivery.data_source_id}/${delivery.job_id}`,
  );
  const whole = (/** @type {string} */ name) => {
    const parts = arrived.get(name) ?? [];
    return parts[0] !== undefined && new Set(parts.map(({ part }) => part)).size === parts[0].part_count;
  };
  const kept = new Set(wanted.map((want) => want.job_id));
  return (
    wanted.filter((want) => !whole(`${want.data_source_id}/${want.job_id}`)).length +
    accepted.filter((jobId) => !kept.has(jobId)).length
  );
}

/** @param {Books} books @param {readonly LedgerLine[]} ledger */
function countUnrecorded({ attempts }, ledger) {
  const rows = new Set(attempts.map((row) => `${row.delivery_id}/${row.attempt_number}`));
  return ledger.filter((line) => line.event === 'begun' && !rows.has(`${line.delivery}/${line.attempt}`)).length;
}

/** @param {Books} books @param {readonly LedgerLine[]} ledger */
function countDoubles({ deliveries }, ledger) {
  const rows = deliveries.map((row) => `${row.data_source_id}/${row.job_id}/${row.run}/${row.part}`);
  // The receiver's own view: one path is one sink, whatever the tables say.
  const seen = groupBy(
    ledger.filter((line) => line.event === 'arrived'),
    (line) => `${line.path} ${line.jobId} ${line.part}`,
  );
  const doubleSeen = [...seen.values()].filter((lines) => new Set(lines.map((line) => line.delivery)).size > 1).length;
  return Math.max(rows.length - new Set(rows).size, doubleSeen);
}

/** @param {DeliveryRow} delivery @param {readonly LedgerLine[]} lines */
function sameBytes(delivery, lines) {
  return lines
    .filter(({ event }) => event !== 'begun')
    .every(({ sha256, jobId }) => sha256 === delivery.sha256 && jobId === delivery.job_id);
}

/** @param {Books} books @param {Map<string, LedgerLine[]>} posts */
function oddDeliveries({ deliveries }, posts) {
  return deliveries.flatMap(({ id, status, reason, retries_spent }) => {
    const failures = (posts.get(id) ?? []).filter((line) => line.event === 'answered' && line.status >= 500).length;
    return [
      ...(status === 'DELIVERED' ? [] : [`${id} ended ${status}, ${reason ?? 'no reason'}`]),
      ...(retries_spent > failures ? [`${id} spent ${retries_spent} retries on ${failures} failures`] : []),
    ];
  });
}

/** @param {Books} books @param {Map<string, LedgerLine[]>} posts */
function oddAttempts({ attempts }, posts) {
  const names = attempts.map((row) => `${row.delivery_id}/${row.attempt_number}`);
  return [
    ...repeated(names).map((name) => `${name} has two rows`),
    ...attempts.flatMap(({ delivery_id, attempt_number, status }) => {
      const name = `${delivery_id}/${attempt_number}`;
      if (status === 'IN_FLIGHT') return [`${name} is still open`];
      if (status !== 'SUCCEEDED') return [];
      const said = successes(posts.get(delivery_id) ?? []).some((line) => line.attempt === attempt_number);
      return said ? [] : [`${name} is on record as a success that the receiver knows nothing of`];
    }),
  ];
}

/** @param {readonly LedgerLine[]} ledger */
function oddPosts(ledger) {
  const begun = ledger.filter((line) => line.event === 'begun').map((line) => `${line.delivery}/${line.attempt}`);
  const arrived = ledger.filter((line) => line.event === 'arrived');
  return [
    ...repeated(begun).map((name) => `${name} was posted twice under one number`),
    ...arrived.filter((line) => !line.signed).map((line) => `${line.delivery}/${line.attempt} has a wrong signature`),
    ...arrived
      .filter((line) => Math.abs(line.clockOffS) > MAX_CLOCK_OFF_S)
      .map((line) => `${line.delivery}/${line.attempt} was signed ${line.clockOffS} s off`),
  ];
}

/** The last part tells its receiver that the others are there. @param {Books} books @param {readonly LedgerLine[]} ledger */
function oddParts({ deliveries }, ledger) {
  const several = deliveries.filter(({ part_count }) => part_count > 1);
  const pushes = groupBy(several, ({ data_source_id, job_id, run }) => `${data_source_id}/${job_id}/${run}`);
  return [...pushes.values()].flatMap((parts) => {
    const last = parts.find(({ part, part_count }) => part === part_count);
    const begun = ledger.findIndex((line) => line.delivery === last?.id);
    const before = new Set(successes(ledger.slice(0, Math.max(begun, 0))).map((line) => line.delivery));
    const missing = begun < 0 ? [] : parts.filter(({ id }) => id !== last?.id && !before.has(id));
    return missing.map(({ id }) => `${last?.id ?? ''} was sent before ${id} had arrived`);
  });
}

/** @param {readonly string[]} names */
function repeated(names) {
  /** @type {Set<string>} */
  const seen = new Set();
  return names.filter((name) => {
    const known = seen.has(name);
    seen.add(name);
    return known;
  });
}

/** A body may lie in a stopped worker's hands for a while after it was signed; a wrong clock is minutes off. */
const MAX_CLOCK_OFF_S = 60;

/** @param {readonly LedgerLine[]} lines */
function successes(lines) {
  return lines.filter((line) => line.event === 'answered' && line.status < 300);
}

/**
 * @template T
 * @param {readonly T[]} items
 * @param {(item: T) => string} key
 * @returns {Map<string, T[]>}
 */
function groupBy(items, key) {
  /** @type {Map<string, T[]>} */
  const groups = new Map();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
