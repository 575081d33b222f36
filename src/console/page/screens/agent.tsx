import { useState } from 'preact/hooks';
import type { Agent, Sink } from '../api/types.js';
import { to } from '../app/router.js';
import { useApi, useSession } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { useResource } from '../app/use-resource.js';
import { AutoPush } from '../sink/auto-push.js';
import { SinkGlance } from '../sink/sink-glance.js';
import { AGENT_STATUS } from '../text/labels.js';
import { Badge } from '../ui/badge.js';
import { Button, ButtonLink } from '../ui/button.js';
import { Notice, ProblemNotice } from '../ui/notice.js';
import { Screen } from '../ui/screen.js';
import { Empty, Loaded } from '../ui/states.js';

const POLL_MS = 10_000;

export function AgentScreen({ agentId }: { agentId: string }) {
  const api = useApi();
  const agent = useResource(`agent ${agentId}`, () => api.agent(agentId), POLL_MS);
  const sinks = useResource(`sinks ${agentId}`, () => api.sinks(agentId), POLL_MS);
  // The module knows agents even if its host has no endpoint for them; an agent is missing only if both say so.
  const isUnread = agent.problem?.status === 404;
  const isNowhere = isUnread && sinks.problem?.status === 404;
  const problem = isUnread ? (isNowhere ? sinks.problem : null) : agent.problem;
  return (
    <Screen
      title={agent.data?.name ?? (isUnread ? agentId : 'Agent')}
      crumbs={[{ text: 'Agents', href: to.agents() }]}
      beside={agent.data && <Badge label={AGENT_STATUS[agent.data.status]} />}
      lead={!isUnread && <span class="mono">{agentId}</span>}
      actions={agent.data && <AgentActions agent={agent.data} onChanged={agent.reload} />}
    >
      {problem && problem.code !== 'offline' && <ProblemNotice problem={problem} />}
      {!isNowhere && (
        <div class="agent-columns">
          <section aria-labelledby="sinks-title">
            <div class="section-head">
              <h2 id="sinks-title">Data sources</h2>
              {sinks.data && sinks.data.items.length > 0 && (
                <ButtonLink kind="primary" icon="plus" href={to.add(agentId)}>
                  Add
                </ButtonLink>
              )}
            </div>
            <Loaded of={sinks} lines={4}>
              {({ items }) => <SinkList agentId={agentId} sinks={items} />}
            </Loaded>
          </section>
          <AutoPush
            agentId={agentId}
            sinks={sinks.data?.items ?? []}
            agentStatus={agent.data?.status ?? null}
            isAgentUnread={isUnread}
          />
        </div>
      )}
    </Screen>
  );
}

function SinkList({ agentId, sinks }: { agentId: string; sinks: readonly Sink[] }) {
  if (sinks.length === 0) {
    return (
      <Empty
        icon="webhook"
        title="Nothing is sent anywhere yet"
        action={
          <ButtonLink kind="primary" icon="plus" href={to.add(agentId)}>
            Add
          </ButtonLink>
        }
      >
        Add an endpoint of yours. When a mapping job finishes, its results are posted there, so that you need not poll.
      </Empty>
    );
  }
  return (
    <ul class="sinks">
      {sinks.map((sink) => (
        <SinkGlance key={sink.id} sink={sink} />
      ))}
    </ul>
  );
}

function AgentActions({ agent, onChanged }: { agent: Agent; onChanged: () => Promise<void> }) {
  const { api, settings } = useSession();
  const [finished, setFinished] = useState<string | null>(null);
  const isActive = agent.status === 'ACTIVE';
  const toggling = useAction(async () => {
    await (isActive ? api.pauseAgent(agent.id) : api.activateAgent(agent.id));
    await onChanged();
  });
  const finishing = useAction(async () => setFinished((await api.finishSampleJob(agent.id)).jobId));
  return (
    <>
      {settings.sampleJobs && (
        <Button isBusy={finishing.isRunning} onClick={() => void finishing.run()}>
          Finish a sample job
        </Button>
      )}
      <Button kind={isActive ? 'plain' : 'primary'} isBusy={toggling.isRunning} onClick={() => void toggling.run()}>
        {isActive ? 'Pause agent' : 'Activate agent'}
      </Button>
      <div class="actions-say">
        <ProblemNotice problem={toggling.problem ?? finishing.problem} />
        {finished && (
          <Notice tone="ok" role="status">
            The job <span class="mono">{finished}</span> of three rows has finished.{' '}
            {isActive
              ? 'If automatic pushes are on, it is being sent now.'
              : 'The agent is not active, so nothing is sent.'}
          </Notice>
        )}
      </div>
    </>
  );
}
