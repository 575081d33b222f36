import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { AttemptUnderway, Destination, Given, Push, SendReport } from '../../destinations/destination.js';
import type { PayloadBody } from '../../payload/payload-bodies.js';
import { checksOf, type ConformanceCheck, type Make } from './conformance-check.js';

/** What the suite needs of a destination's world: a place that works, as a customer would give it. */
export interface DestinationFixture {
  readonly destination: Destination;
  /** The fields of a configuration that works, and of a secret that fits it; no secret where it makes one. */
  readonly config: Given;
  readonly secret: Given | undefined;
  /** The fields of a configuration that it must refuse. */
  readonly wrongConfig: Given;
  /** What has arrived over there of a delivery's body, or null. */
  received(deliveryId: string): Promise<Uint8Array | null>;
}

const BODY = Buffer.from('{"partnerRowId":"row_1","referenceHotelId":null}\n');
let deliveries = 0;

/**
 * What a host's own destination has to keep. Experimental, like the port: it may change until a third type has settled it.
 * @param make called anew for every check
 */
export function destinationConformance(make: Make<DestinationFixture>): readonly ConformanceCheck[] {
  return [...configurationChecks(make), ...secretChecks(make), ...pingChecks(make), ...sendingChecks(make)];
}

function configurationChecks(make: Make<DestinationFixture>): readonly ConformanceCheck[] {
  return checksOf(make, {
    'has a type that can be stored': async ({ destination }) => {
      assert.match(destination.type, /^[A-Z][A-Z0-9_]{0,62}$/);
    },
    'accepts a configuration in a form that survives being stored, and that it accepts again as it is': async (
      made,
    ) => {
      const { destination, config } = made;
      const accepted = destination.acceptConfig(config, null);
      const stored = JSON.parse(JSON.stringify(accepted)) as typeof accepted;
      assert.deepEqual(stored, accepted);
      assert.deepEqual(destination.acceptConfig({}, stored), accepted);
    },
    'says of every sink how its bodies are made': async ({ destination, config }) => {
      const { compression, includeFields, maxRowsPerPush } = destination.acceptConfig(config, null);
      assert.ok(compression === 'none' || compression === 'gzip');
      assert.ok(includeFields === null || includeFields.includes('partnerRowId'));
      assert.ok(maxRowsPerPush === null || maxRowsPerPush > 0);
    },
    'refuses a wrong configuration as a problem that points into it': async ({ destination, wrongConfig }) => {
      assert.throws(
        () => destination.acceptConfig(wrongConfig, null),
        (error: { code?: unknown; extras?: { errors?: readonly { pointer: string }[] } }) => {
          assert.equal(error.code, 'validation-failed');
          for (const { pointer } of error.extras?.errors ?? []) assert.match(pointer, /^\/config(\/|$)/);
          return true;
        },
      );
    },
    'finds nothing changed in what was not changed': async ({ destination, config }) => {
      const accepted = destination.acceptConfig(config, null);
      assert.deepEqual(destination.compare(accepted, accepted), { moves: false, needsSecretFor: null });
    },
  });
}

function secretChecks(make: Make<DestinationFixture>): readonly ConformanceCheck[] {
  return checksOf(make, {
    'shows at most the last four characters of each value of a secret': async ({ destination, config, secret }) => {
      const accepted = destination.acceptSecret(secret, destination.acceptConfig(config, null), '/secret');
      const told = JSON.stringify([accepted.hint, accepted.warnings]);
      for (const value of Object.values(secret ?? {})) {
        if (typeof value === 'string' && value.length > 4) assert.ok(!told.includes(value.slice(0, -4)));
      }
    },
    'names no secret in what the attempt’s row says': async (made) => {
      const { destination, push } = pushOf(made);
      const { url, authScheme } = destination.describe(push);
      assert.ok(url.length > 0 && authScheme.length > 0);
      for (const value of Object.values(made.secret ?? {})) assert.ok(!`${url} ${authScheme}`.includes(String(value)));
    },
  });
}

/** A destination need not have a ping; what has one is asked when a sink is saved. */
function pingChecks(make: Make<DestinationFixture>): readonly ConformanceCheck[] {
  return checksOf(make, {
    'is answered when it pings a place that works': async (made) => {
      const { push, destination } = pushOf(made);
      const { signal } = new AbortController();
      assert.equal((await destination.ping?.(push.config, () => push.secrets(), signal, push)) ?? true, true);
    },
    'does not take a vault that is away for a place that does not answer': async (made) => {
      const { push, destination } = pushOf(made);
      const away = new Error('the vault is away');
      const { signal } = new AbortController();
      const pinged = destination.ping?.(push.config, () => Promise.reject(away), signal, push);
      // Of a ping that proves nothing, the secret is not needed.
      const found = await pinged?.catch((error: unknown) => error);
      assert.ok(found === undefined || found === true || found === away);
    },
    'ends its ping when it is told to': async (made) => {
      const { push, destination } = pushOf(made);
      const stop = new AbortController();
      const reason = new Error('it took too long');
      stop.abort(reason);
      const found = await destination
        .ping?.(push.config, () => push.secrets(), stop.signal, push)
        .catch((error: unknown) => error);
      assert.ok(found === undefined || found === false || found === reason);
    },
  });
}

function sendingChecks(make: Make<DestinationFixture>): readonly ConformanceCheck[] {
  return checksOf(make, {
    'delivers exactly the bytes of the body': async (made) => {
      const { push, send } = pushOf(made);
      assert.equal((await send()).outcome.status, 'SUCCEEDED');
      assert.deepEqual(Buffer.from((await made.received(push.deliveryId)) ?? ''), BODY);
    },
    'delivers a body that is read in pieces like one that is in memory': async (made) => {
      const { push, send } = pushOf(made);
      assert.equal((await send({}, null)).outcome.status, 'SUCCEEDED');
      assert.deepEqual(Buffer.from((await made.received(push.deliveryId)) ?? ''), BODY);
    },
    'succeeds when the same delivery is sent again, as after a crash': async (made) => {
      const { send } = pushOf(made);
      await send();
      const { outcome } = await send({ attemptNumber: 2 });
      assert.deepEqual([outcome.status, outcome.verdict], ['SUCCEEDED', 'DELIVERED']);
    },
    'stops when it is told to, with the reason that it is told': async (made) => {
      const stop = new AbortController();
      const reason = new Error('shutdown');
      stop.abort(reason);
      await assert.rejects(pushOf(made).send({ signal: stop.signal }), (error) => error === reason);
    },
    'passes a Test of a place that works, and shows no secret in it': async (made) => {
      const { destination, push } = pushOf(made);
      const report = await destination.probe({ ...push, body: BODY, sha256: sha256Of(BODY), traceparent: null });
      assert.equal(report.outcome.status, 'SUCCEEDED');
      for (const value of Object.values(made.secret ?? {})) assert.ok(!JSON.stringify(report).includes(String(value)));
    },
  });
}

function pushOf({ destination, config, secret }: DestinationFixture): {
  readonly destination: Destination;
  readonly push: Push;
  readonly send: (attempt?: Partial<AttemptUnderway>, whole?: Buffer | null) => Promise<SendReport>;
} {
  const accepted = destination.acceptConfig(config, null);
  const { value } = destination.acceptSecret(secret, accepted, '/secret');
  const ids = {
    workspaceId: 'ws_conformance',
    agentId: 'agt_conformance',
    jobId: `job_conformance_${++deliveries}_${Date.now()}`,
  };
  const push: Push = {
    ...{ deliveryId: `dlv_conformance_${deliveries}`, dataSourceId: 'ads_conformance', run: 1, config: accepted },
    ...{ workspaceId: ids.workspaceId, jobId: ids.jobId, lastErrorCode: null, overlapping: false },
    recipe: { format: 'JSONL', compression: 'none', fields: null, split: null },
    facts: { ...ids, completedAt: new Date(0), stats: { total: 1, matched: 0, unmatched: 1 } },
    secrets: async () => ({ current: value, previous: null, nowMs: Date.now() }),
  };
  const send = async (attempt: Partial<AttemptUnderway> = {}, whole: Buffer | null = BODY): Promise<SendReport> => {
    const ready = await destination.prepare(push).ready(bodyOf(whole));
    return ready.send({
      ...{ attemptNumber: 1, traceparent: null, earlierObjects: async () => [] },
      ...{ leaves: async () => undefined, leavesNothing: async () => undefined, ...attempt },
    });
  };
  return { destination, push, send };
}

function bodyOf(whole: Buffer | null): PayloadBody {
  return {
    payload: { bodyId: 'pld_conformance', sha256: sha256Of(BODY), bytes: BODY.length, rows: 1 },
    ...{ whole, watchedBy: null },
    open: async function* () {
      yield BODY.subarray(0, 7);
      yield BODY.subarray(7);
    },
  };
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
