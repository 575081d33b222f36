import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createIdFactory } from '../../domain/ids.js';
import { AUDIT_ACTIONS, type AuditEntry, type AuditTrail } from '../../ports/audit-trail.js';
import { checksOf, type ConformanceCheck, type Make } from './conformance-check.js';

export interface AuditTrailFixture {
  readonly trail: AuditTrail;
  /** The entries of a sink, in the order in which they were recorded. */
  readonly readBack: (dataSourceId: string) => Promise<readonly AuditEntry[]>;
}

const newId = createIdFactory(Date.now, randomBytes);

/** Conformance checks for a host's `AuditTrail`. Every check writes entries under new ids, which remain. */
export function auditTrailConformance(makeFixture: Make<AuditTrailFixture>): readonly ConformanceCheck[] {
  return checksOf(makeFixture, {
    'keeps every field of an entry': async (fixture) => {
      await keeps(fixture, [anEntry({ ip: '2001:db8::7', deliveryId: newId('delivery') })]);
    },
    'keeps an entry of what the module did by itself': async (fixture) => {
      await keeps(fixture, [anEntry({ ip: null, deliveryId: null, actor: { type: 'agent', id: 'agt_1' } })]);
    },
    'keeps details of any depth as they were': async (fixture) => {
      const details = {
        changed: { name: { from: 'BI “ingest”', to: '雪 🔐 \\ "x"' }, retryableStatuses: { from: [], to: [408, 429] } },
        none: null,
        share: 0.25,
        yes: true,
      };
      await keeps(fixture, [anEntry({ details })]);
    },
    'keeps a whole batch, in order': async (fixture) => {
      const dataSourceId = newId('dataSource');
      await keeps(
        fixture,
        Array.from({ length: 64 }, (_, n) => anEntry({ dataSourceId, details: { n } })),
      );
    },
    'knows every action': async (fixture) => {
      const dataSourceId = newId('dataSource');
      await keeps(
        fixture,
        AUDIT_ACTIONS.map((action) => anEntry({ dataSourceId, action })),
      );
    },
    'adds to what is there and changes none of it': async (fixture) => {
      const first = anEntry({ details: { said: 'first' } });
      const second = { ...first, details: { said: 'second' } };
      await fixture.trail.record([first]);
      await fixture.trail.record([second]);
      assert.deepEqual(promised(await fixture.readBack(first.dataSourceId)), promised([first, second]));
    },
    'takes an empty batch without complaint': async ({ trail }) => {
      await trail.record([]);
    },
  });
}

function anEntry(overrides: Partial<AuditEntry>): AuditEntry {
  return {
    action: 'DATA_SINK_CHANGED',
    workspaceId: 'ws_01ARZ3NDEKTSV4RRFFQ69G5FAV',
    agentId: 'agt_01ARZ3NDEKTSV4RRFFQ69G5FAV',
    dataSourceId: newId('dataSource'),
    deliveryId: null,
    actor: { type: 'token', id: 'tok_1' },
    ip: '192.0.2.7',
    details: {},
    ...overrides,
  };
}

/** All entries belong to one sink. */
async function keeps({ trail, readBack }: AuditTrailFixture, entries: readonly AuditEntry[]): Promise<void> {
  await trail.record(entries);
  const [first] = entries;
  assert.ok(first);
  assert.deepEqual(promised(await readBack(first.dataSourceId)), promised(entries));
}

/** Compares only the specified fields: a store may add its own, such as an id and a time. */
function promised(entries: readonly AuditEntry[]): readonly AuditEntry[] {
  return entries.map(({ action, workspaceId, agentId, dataSourceId, deliveryId, actor, ip, details }) => ({
    action,
    workspaceId,
    agentId,
    dataSourceId,
    deliveryId,
    actor: { type: actor.type, id: actor.id },
    ip,
    details,
  }));
}
