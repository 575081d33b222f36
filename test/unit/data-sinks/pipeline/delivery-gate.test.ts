import { describe, expect, it } from '@jest/globals';
import { DeliveryGate, rulesInForce } from '../../../../src/data-sinks/pipeline/delivery-gate.js';
import type { Agent } from '../../../../src/data-sinks/ports/agent-directory.js';
import { InMemoryAgentDirectory, InMemoryWorkspacePlans } from '../../../../src/data-sinks/testing/index.js';
import { aClaimedDelivery } from './claimed.js';

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
    gate: new DeliveryGate(new Agents(agents), new InMemoryWorkspacePlans(plans), ['PRO_MAX', 'ENTERPRISE']),
  };
}

describe('the gate', () => {
  it('judges a batch with one question about each agent and workspace', async () => {
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
    expect(await gate.isEntitled('ws_1')).toBe(reason === null);
  });

  it('a workspace that nobody knows has no plan', async () => {
    const { gate } = gateOf([agent()], {});
    expect(await gate.judge([aClaimedDelivery()])).toEqual(['plan_required']);
  });

  it('an agent that has moved to another workspace is gone', async () => {
    const { gate } = gateOf([agent({ workspaceId: 'ws_2' })]);
    expect(await gate.judge([aClaimedDelivery()])).toEqual(['agent_inactive']);
  });

  it('lets the host’s failure through: it is not the customer’s', async () => {
    class Away extends InMemoryAgentDirectory {
      override async findAgents(): Promise<never> {
        throw new Error('host away');
      }
    }
    const gate = new DeliveryGate(new Away([]), new InMemoryWorkspacePlans({}), []);
    await expect(gate.judge([aClaimedDelivery()])).rejects.toThrow('host away');
  });

  it('takes a rule set that does not parse for the default, which pushes nothing', async () => {
    const broken = agent({ ruleSet: { data_sinks: { auto_push_on_job_complete: true, retry_failed_push: '2' } } });
    expect(rulesInForce(broken)).toEqual({ autoPushOnJobComplete: false, retryFailedPush: 2 });
    const { gate } = gateOf([broken]);
    expect(await gate.judge([aClaimedDelivery(), aClaimedDelivery({ trigger: 'MANUAL' })])).toEqual([
      'auto_push_off',
      null,
    ]);
  });
});
