import { useState } from 'preact/hooks';
import type { SavedSink } from '../api/types.js';
import { to } from '../app/router.js';
import { useApi, useSession } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { EMPTY_DRAFT, type SinkDraft, toCreate } from '../sink/draft.js';
import { S3Form } from '../sink/s3-form.js';
import { EMPTY_S3, S3, type S3Draft, toCreateS3 } from '../sink/s3-sink.js';
import { SinkForm } from '../sink/sink-form.js';
import { SinkMade } from '../sink/sink-made.js';
import { ButtonLink } from '../ui/button.js';
import { Icon } from '../ui/icons.js';
import { type Crumb, Screen } from '../ui/screen.js';

const HTTPS_WEBHOOK = 'https-webhook';

interface AddParts {
  readonly agentId: string;
  /** Null: not chosen yet. */
  readonly type: string | null;
}

export function AddScreen({ agentId, type }: AddParts) {
  const offersS3 = useSession().settings.types.includes('S3');
  const crumbs = [
    { text: 'Agents', href: to.agents() },
    { text: 'Agent', href: to.agent(agentId) },
  ];
  const parts = { agentId, crumbs: [...crumbs, { text: 'Add', href: to.add(agentId) }] };
  if (type === HTTPS_WEBHOOK) return <AddWebhook {...parts} />;
  if (type === S3 && offersS3) return <AddS3 {...parts} />;
  return <ChooseType agentId={agentId} crumbs={crumbs} offersS3={offersS3} />;
}

interface PartsWithCrumbs {
  readonly agentId: string;
  readonly crumbs: readonly Crumb[];
}

function ChooseType({ agentId, crumbs, offersS3 }: PartsWithCrumbs & { readonly offersS3: boolean }) {
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
        {offersS3 && <S3Choice agentId={agentId} />}
      </ul>
    </Screen>
  );
}

/** Of hosts that have registered it. */
function S3Choice({ agentId }: { readonly agentId: string }) {
  return (
    <li class="card">
      <a class="type" href={to.add(agentId, S3)}>
        <span class="type-mark">
          <Icon name="up" />
        </span>
        <span>
          <strong>S3 bucket (outbound)</strong>
          <span class="quiet">
            When a job finishes, its results become one object of a bucket of yours, at AWS or any store with the same
            interface: written once, never over another.
          </span>
        </span>
        <Icon name="right" />
      </a>
    </li>
  );
}

function AddS3({ agentId, crumbs }: PartsWithCrumbs) {
  const api = useApi();
  const [saved, setSaved] = useState<SavedSink | null>(null);
  const saving = useAction(async (draft: S3Draft) => setSaved(await api.createSink(agentId, toCreateS3(draft))));
  if (saved) return <SinkMade key={saved.id} sink={saved} crumbs={crumbs.slice(0, 2)} />;
  return (
    <Screen title="S3 bucket (outbound)" crumbs={crumbs} lead="Saving writes nothing. You test it next.">
      <div class="card pad narrow">
        <S3Form
          initial={EMPTY_S3}
          isNew
          isBusy={saving.isRunning}
          problem={saving.problem}
          onSubmit={(draft) => void saving.run(draft)}
        >
          <ButtonLink href={to.agent(agentId)}>Cancel</ButtonLink>
        </S3Form>
      </div>
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
