import { describe, expect, it } from '@jest/globals';
import { rulesInForce } from '../../../../src/data-sinks/domain/data-sink-rules.js';
import { DeliveryGate } from '../../../../src/data-sinks/delivery/delivery-gate.js';
import type { Agent } from '../../../../src/data-sinks/ports/agent-directory.js';
import { InMemoryAgentDirectory, InMemoryWorkspacePlans } from '../../../../src/data-sinks/testing/index.js';
import { aClaimedDelivery } from './claimed.js';
import { stub } from '../../../support/stub.js';

const agent = (given: Partial<Agent> = {}): Agent => ({
  id: 'agt_1',
  workspaceId: 'ws_1',
  active: true,
  ruleSet: { data_sinks: { auto_push_on_job_complete: true } },
  ...given,
});

function gateOf(
  agents: readonly Agent[],
  plans: Readonly<Record<string, string>> = { ws_1: 'PRO_MAX', ws_2: 'ENTERPRISE' },
) {
  const asked: (readonly string[])[] = [];
  class Agents extends InMemoryAgentDirectory {
    override findAgents(ids: readonly string[]): Promise<readonly Agent[]> {
      asked.push(ids);
      return super.findAgents(ids);
    }
  }
  return {
    asked,
    gate: new DeliveryGate(
      new Agents(agents),
      new InMemoryWorkspacePlans(plans),
      stub({ entitledPlans: ['PRO_MAX', 'ENTERPRISE'] }),
    ),
  };
}

describe('the gate', () => {
  it('checks a batch with one call for all agents and one for all workspaces', async () => {
    const { gate, asked } = gateOf([agent(), agent({ id: 'agt_2', active: false })]);
    const verdicts = await gate.judge([
      aClaimedDelivery(),
      aClaimedDelivery({ agentId: 'agt_2' }),
      aClaimedDelivery({ agentId: 'agt_gone' }),
      aClaimedDelivery(),
      aClaimedDelivery({ sink: null }),
    ]);
    expect(verdicts).toEqual([null, 'agent_inactive', 'agent_inactive', null, 'sink_inactive']);
    expect(asked).toEqual([['agt_1', 'agt_2', 'agt_gone']]);
  });

  it('checks a delivery against the agent of its own workspace, if another workspace has the same agent id', async () => {
    for (const agents of [
      [agent(), agent({ workspaceId: 'ws_2', active: false })],
      [agent({ workspaceId: 'ws_2', active: false }), agent()],
    ]) {
      const { gate } = gateOf(agents);
      const both = [aClaimedDelivery(), aClaimedDelivery({ workspaceId: 'ws_2' })];
      expect(await gate.judge(both)).toEqual([null, 'agent_inactive']);
    }
  });

  it.each([
    ['PRO_MAX', null],
    ['ENTERPRISE', null],
    ['PRO', 'plan_required'],
    ['BASIC', 'plan_required'],
    ['pro_max', 'plan_required'],
    ['', 'plan_required'],
  ])('a workspace on %j: %j', async (plan, reason) => {
    const { gate } = gateOf([agent()], { ws_1: plan });
    expect(await gate.judge([aClaimedDelivery()])).toEqual([reason]);
  });

  it('treats an unknown workspace as one without a plan', async () => {
    const { gate } = gateOf([agent()], {});
    expect(await gate.judge([aClaimedDelivery()])).toEqual(['plan_required']);
  });

  it('treats an agent that moved to another workspace as deleted', async () => {
    const { gate } = gateOf([agent({ workspaceId: 'ws_2' })]);
    expect(await gate.judge([aClaimedDelivery()])).toEqual(['agent_inactive']);
  });

  it('passes the host’s error on, since it is not the customer’s failure', async () => {
    class Away extends InMemoryAgentDirectory {
      override async findAgents(): Promise<never> {
        throw new Error('host away');
      }
    }
    const gate = new DeliveryGate(new Away([]), new InMemoryWorkspacePlans({}), stub({ entitledPlans: [] }));
    await expect(gate.judge([aClaimedDelivery()])).rejects.toThrow('host away');
  });

  it('applies the default, which pushes nothing, to a rule set that does not parse', async () => {
    const broken = agent({ ruleSet: { data_sinks: { auto_push_on_job_complete: true, retry_failed_push: '2' } } });
    expect(rulesInForce(broken)).toEqual({ autoPushOnJobComplete: false, retryFailedPush: 2 });
    const { gate } = gateOf([broken]);
    expect(await gate.judge([aClaimedDelivery(), aClaimedDelivery({ trigger: 'MANUAL' })])).toEqual([
      'auto_push_off',
      null,
    ]);
  });
});
