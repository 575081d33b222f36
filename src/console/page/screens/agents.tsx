import { useState } from 'preact/hooks';
import type { Agent } from '../api/types.js';
import { goTo, to } from '../app/router.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { useResource } from '../app/use-resource.js';
import { AGENT_STATUS } from '../text/labels.js';
import { Badge } from '../ui/badge.js';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { Field } from '../ui/field.js';
import { Icon } from '../ui/icons.js';
import { ProblemNotice } from '../ui/notice.js';
import { Screen } from '../ui/screen.js';
import { Empty, Loaded, Skeleton } from '../ui/states.js';
import { Ago } from '../ui/time.js';

const POLL_MS = 15_000;

export function AgentsScreen() {
  const api = useApi();
  const agents = useResource('agents', () => api.agents(), POLL_MS);
  const [isCreating, setCreating] = useState(false);
  const isWithoutList = agents.problem?.status === 404 || agents.problem?.status === 403;
  const create = (
    <Button kind="primary" icon="plus" onClick={() => setCreating(true)}>
      New agent
    </Button>
  );
  return (
    <Screen
      title="Agents"
      lead="Choose the agent whose results you want to send to an endpoint of yours."
      actions={agents.data && agents.data.items.length > 0 ? create : undefined}
    >
      {isWithoutList && !agents.data ? (
        <OpenById isListed={agents.problem?.status !== 404} />
      ) : (
        <Loaded of={agents} lines={4}>
          {(page) =>
            page.items.length === 0 ? (
              <Empty icon="webhook" title="No agents yet" action={create}>
                An agent maps your rows to reference hotels. Make one, then add the endpoint that gets its results.
              </Empty>
            ) : (
              <AgentList key={page.items.length} first={page.items} nextCursor={page.nextCursor} />
            )
          }
        </Loaded>
      )}
      {isCreating && <CreateAgent onClose={() => setCreating(false)} />}
    </Screen>
  );
}

function AgentList({ first, nextCursor }: { first: readonly Agent[]; nextCursor: string | null }) {
  const api = useApi();
  const [more, setMore] = useState<readonly Agent[]>([]);
  const [cursor, setCursor] = useState(nextCursor);
  const next = useAction(async () => {
    const page = await api.agents(cursor ?? undefined);
    setMore([...more, ...page.items]);
    setCursor(page.nextCursor);
  });
  return (
    <div class="stack">
      <ul class="rows card">
        {[...first, ...more].map((agent) => (
          <li key={agent.id}>
            <a class="row-link" href={to.agent(agent.id)}>
              <span class="row-main">
                <strong>{agent.name}</strong>
                <span class="mono quiet small">{agent.id}</span>
              </span>
              <Badge label={AGENT_STATUS[agent.status]} />
              <span class="quiet small">
                made <Ago at={agent.createdAt} />
              </span>
              <Icon name="right" />
            </a>
          </li>
        ))}
      </ul>
      <ProblemNotice problem={next.problem} />
      {next.isRunning && <Skeleton lines={1} />}
      {cursor !== null && <Button onClick={() => void next.run()}>Show more</Button>}
    </div>
  );
}

function CreateAgent({ onClose }: { onClose: () => void }) {
  const api = useApi();
  const [name, setName] = useState('');
  const creating = useAction(async () => goTo(to.agent((await api.createAgent(name.trim())).id)));
  const submit = (event: Event): void => {
    event.preventDefault();
    void creating.run();
  };
  const nameError = creating.problem?.at('/name') ?? null;
  return (
    <Dialog title="New agent" onClose={onClose}>
      <form class="stack" onSubmit={submit} noValidate>
        {nameError === null && <ProblemNotice problem={creating.problem} />}
        <Field label="Name" help="What your team calls it, such as “Hotel matcher”." error={nameError}>
          {(links) => (
            <input
              {...links}
              type="text"
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
              autofocus
            />
          )}
        </Field>
        <div class="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" isBusy={creating.isRunning}>
            Make the agent
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** For hosts and tokens that cannot list agents. */
function OpenById({ isListed }: { isListed: boolean }) {
  const [agentId, setAgentId] = useState('');
  const submit = (event: Event): void => {
    event.preventDefault();
    if (agentId.trim() !== '') goTo(to.agent(agentId.trim()));
  };
  const why = isListed ? 'This token cannot list the agents.' : 'The platform does not list its agents here.';
  return (
    <form class="card pad stack" onSubmit={submit}>
      <Field label="Agent id" help={`${why} Enter the id of yours; it begins with agt_.`}>
        {(links) => (
          <input {...links} class="mono" value={agentId} onInput={(event) => setAgentId(event.currentTarget.value)} />
        )}
      </Field>
      <div>
        <Button type="submit" kind="primary">
          Open
        </Button>
      </div>
    </form>
  );
}
