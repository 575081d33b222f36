import { useState } from 'preact/hooks';
import type { SavedSink } from '../api/types.js';
import { to } from '../app/router.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { EMPTY_DRAFT, type SinkDraft, toCreate } from '../sink/draft.js';
import { SinkForm } from '../sink/sink-form.js';
import { SinkMade } from '../sink/sink-made.js';
import { ButtonLink } from '../ui/button.js';
import { Icon } from '../ui/icons.js';
import { type Crumb, Screen } from '../ui/screen.js';

const HTTPS_WEBHOOK = 'https-webhook';

interface AddParts {
  readonly agentId: string;
  /** Null: still to be chosen. */
  readonly type: string | null;
}

export function AddScreen({ agentId, type }: AddParts) {
  const crumbs = [
    { text: 'Agents', href: to.agents() },
    { text: 'Agent', href: to.agent(agentId) },
  ];
  return type === HTTPS_WEBHOOK ? (
    <AddWebhook agentId={agentId} crumbs={[...crumbs, { text: 'Add', href: to.add(agentId) }]} />
  ) : (
    <ChooseType agentId={agentId} crumbs={crumbs} />
  );
}

interface PartsWithCrumbs {
  readonly agentId: string;
  readonly crumbs: readonly Crumb[];
}

function ChooseType({ agentId, crumbs }: PartsWithCrumbs) {
  return (
    <Screen title="Add a data source" crumbs={crumbs} lead="Where should this agent’s results go?">
      <ul class="types">
        <li class="card">
          <a class="type" href={to.add(agentId, HTTPS_WEBHOOK)}>
            <span class="type-mark">
              <Icon name="webhook" />
            </span>
            <span>
              <strong>HTTPS webhook (outbound)</strong>
              <span class="quiet">
                When a job finishes, its results are posted to an endpoint of yours: signed, tried again when it fails,
                and every attempt on record.
              </span>
            </span>
            <Icon name="right" />
          </a>
        </li>
      </ul>
    </Screen>
  );
}

function AddWebhook({ agentId, crumbs }: PartsWithCrumbs) {
  const api = useApi();
  const [saved, setSaved] = useState<SavedSink | null>(null);
  const saving = useAction(async (draft: SinkDraft) => setSaved(await api.createSink(agentId, toCreate(draft))));
  if (saved) return <SinkMade key={saved.id} sink={saved} crumbs={crumbs.slice(0, 2)} />;
  return (
    <Screen title="HTTPS webhook (outbound)" crumbs={crumbs} lead="Saving sends nothing. You test it next.">
      <div class="card pad narrow">
        <SinkForm
          initial={EMPTY_DRAFT}
          isNew
          isBusy={saving.isRunning}
          problem={saving.problem}
          submitText="Save"
          onSubmit={(draft) => void saving.run(draft)}
        >
          <ButtonLink href={to.agent(agentId)}>Cancel</ButtonLink>
        </SinkForm>
      </div>
    </Screen>
  );
}
