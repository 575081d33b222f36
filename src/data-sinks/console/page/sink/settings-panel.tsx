import { useState } from 'preact/hooks';
import type { Sink } from '../api/types.js';
import { goTo, to } from '../app/router.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { counted } from '../text/format.js';
import { Button } from '../ui/button.js';
import { Notice } from '../ui/notice.js';
import { Time } from '../ui/time.js';
import { DeleteDialog } from './delete-dialog.js';
import { draftOf, type SinkDraft, toUpdate } from './draft.js';
import { SinkForm } from './sink-form.js';

interface SettingsParts {
  readonly sink: Sink;
  readonly onChanged: () => Promise<void>;
}

export function SettingsPanel({ sink, onChanged }: SettingsParts) {
  const api = useApi();
  const [warnings, setWarnings] = useState<readonly string[] | null>(null);
  const [isDeleting, setDeleting] = useState(false);
  const saving = useAction(async (draft: SinkDraft) => {
    setWarnings(null);
    const saved = await api.changeSink(sink.agentId, sink.id, toUpdate(draft));
    setWarnings(saved.warnings);
    await onChanged();
  });
  return (
    <div class="settings">
      <section class="card pad stack" aria-label="Settings">
        {warnings && (
          <Notice tone="ok" role="status">
            Saved. The next attempts use it.
          </Notice>
        )}
        {warnings?.map((warning) => (
          <Notice key={warning} tone="warn">
            {warning}
          </Notice>
        ))}
        <SinkForm
          key={sink.configVersion}
          initial={draftOf(sink)}
          isNew={false}
          isBusy={saving.isRunning}
          problem={saving.problem}
          submitText="Save"
          onSubmit={(draft) => void saving.run(draft)}
        />
      </section>
      <div class="stack">
        <Facts sink={sink} />
        <section class="card pad stack" aria-labelledby="delete-title">
          <h2 id="delete-title">Delete</h2>
          <p class="quiet">Nothing is sent any more, and the secret is destroyed. What was sent stays on record.</p>
          <div>
            <Button kind="danger" onClick={() => setDeleting(true)}>
              Delete this data source
            </Button>
          </div>
        </section>
      </div>
      {isDeleting && (
        <DeleteDialog sink={sink} onClose={() => setDeleting(false)} onDeleted={() => goTo(to.agent(sink.agentId))} />
      )}
    </div>
  );
}

function Facts({ sink }: { sink: Sink }) {
  return (
    <section class="card pad stack" aria-labelledby="facts-title">
      <h2 id="facts-title">Facts</h2>
      <dl class="facts">
        <dt>Id</dt>
        <dd class="mono break">{sink.id}</dd>
        <dt>Secret</dt>
        <dd>
          <span class="mono">{sink.secret.hint ?? 'hidden'}</span>, stored <Time at={sink.secret.createdAt} />
        </dd>
        <dt>Format</dt>
        <dd>{bodiesOf(sink)}</dd>
        <dt>Settings</dt>
        <dd>version {sink.configVersion}</dd>
        <dt>Made</dt>
        <dd>
          <Time at={sink.createdAt} />
        </dd>
        <dt>Changed</dt>
        <dd>
          <Time at={sink.updatedAt} />
        </dd>
      </dl>
    </section>
  );
}

/** What the sink says of the bodies that it is sent. */
function bodiesOf({ format, config }: Sink): string {
  const { compression, includeFields, maxRowsPerPush } = config;
  return [
    format,
    ...(compression === 'gzip' ? ['gzip'] : []),
    ...(includeFields ? [includeFields.join(' ')] : []),
    ...(typeof maxRowsPerPush === 'number' ? [`${counted(maxRowsPerPush, 'row')} in one push`] : []),
  ].join(', ');
}
