import { describe, expect, it } from '@jest/globals';
import { gate, type GateFacts } from '../../../../src/data-sinks/domain/gate.js';
import { DELIVERY_TRIGGERS } from '../../../../src/data-sinks/domain/trigger.js';

const on = { autoPushOnJobComplete: true, retryFailedPush: 2 };
const off = { autoPushOnJobComplete: false, retryFailedPush: 2 };

const SINKS = [
  ['active', { status: 'ACTIVE', deletedAt: null }],
  ['inactive', { status: 'INACTIVE', deletedAt: null }],
  ['deleted', { status: 'ACTIVE', deletedAt: new Date(0) }],
  ['gone', null],
] as const;
const AGENTS = [
  ['active, auto-push on', { active: true, rules: on }],
  ['active, auto-push off', { active: true, rules: off }],
  ['inactive, auto-push on', { active: false, rules: on }],
  ['inactive, auto-push off', { active: false, rules: off }],
  ['gone', null],
] as const;

/** Contract, section 2, as a person would read it aloud. */
function expected(trigger: string, sink: string, agent: string, planEntitled: boolean): string | null {
  if (sink !== 'active') return 'sink_inactive';
  if (!agent.startsWith('active')) return 'agent_inactive';
  if (!planEntitled) return 'plan_required';
  if (trigger === 'AUTO' && agent.endsWith('off')) return 'auto_push_off';
  return null;
}

const table = DELIVERY_TRIGGERS.flatMap((trigger) =>
  SINKS.flatMap(([sinkName, sink]) =>
    AGENTS.flatMap(([agentName, agent]) =>
      [true, false].map((planEntitled): [string, string | null, GateFacts] => [
        `${trigger}, sink ${sinkName}, agent ${agentName}, plan ${planEntitled ? 'entitled' : 'not entitled'}`,
        expected(trigger, sinkName, agentName, planEntitled),
        { trigger, planEntitled, agent, sink },
      ]),
    ),
  ),
);

describe('the gate before every attempt', () => {
  it('is tried in each of its 120 cases', () => {
    expect(table).toHaveLength(3 * 4 * 5 * 2);
  });

  it.each(table)('%s: %j', (_case, reason, facts) => {
    expect(gate(facts)).toBe(reason);
  });
});
