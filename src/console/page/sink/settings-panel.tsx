import { useMemo, useState } from 'preact/hooks';
import type { Sink, UpdateSink } from '../api/types.js';
import { goTo, to } from '../app/router.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { counted } from '../text/format.js';
import { Button } from '../ui/button.js';
import { Notice } from '../ui/notice.js';
import { Time } from '../ui/time.js';
import { DeleteDialog } from './delete-dialog.js';
import { draftOf, toUpdate } from './draft.js';
import { S3Form } from './s3-form.js';
import { isS3, s3DraftOf, toUpdateS3, webhookOf } from './s3-sink.js';
import { SecretSection } from './secret-section.js';
import { SinkForm } from './sink-form.js';

interface SettingsParts {
  readonly sink: Sink;
  readonly onChanged: () => Promise<void>;
}

export function SettingsPanel(parts: SettingsParts) {
  return (
    <div class="settings">
      <SettingsForm {...parts} />
      <div class="stack">
        <SecretSection {...parts} />
        <Facts sink={parts.sink} />
        <DeleteSection sink={parts.sink} />
      </div>
    </div>
  );
}

interface Saved {
  readonly isChanged: boolean;
  readonly warnings: readonly string[];
}

function SettingsForm({ sink, onChanged }: SettingsParts) {
  const api = useApi();
  const [saved, setSaved] = useState<Saved | null>(null);
  // The state at the first keystroke, so that a concurrent change does not discard what was typed.
  const [touched, setTouched] = useState<Sink | null>(null);
  const began = touched ?? sink;
  // Only differences to it are sent.
  const initial = useMemo(() => draftOf(began), [began.configVersion]);
  const initialS3 = useMemo(() => s3DraftOf(began), [began.configVersion]);
  const saving = useAction(async (update: UpdateSink | null) => {
    setSaved(null);
    const answer = update && (await api.changeSink(sink.agentId, sink.id, update));
    setSaved({ isChanged: answer !== null, warnings: answer?.warnings ?? [] });
    if (!answer) return;
    setTouched(null);
    await onChanged();
  });
  return (
    <section class="card pad stack" aria-label="Settings">
      {saved && (
        <Notice tone={saved.isChanged ? 'ok' : 'info'} role="status">
          {saved.isChanged ? 'Saved. The next attempts use it.' : 'Nothing was changed, so nothing was saved.'}
        </Notice>
      )}
      {saved?.warnings.map((warning) => (
        <Notice key={warning} tone="warn">
          {warning}
        </Notice>
      ))}
      {began.configVersion !== sink.configVersion && (
        <Notice tone="warn" role="status">
          Somebody else has changed these settings meanwhile. Saving changes only what you changed.{' '}
          <Button kind="quiet" onClick={() => setTouched(null)}>
            Show theirs
          </Button>
        </Notice>
      )}
      {isS3(sink) ? (
        <S3Form
          key={began.configVersion}
          initial={initialS3}
          onTouched={() => setTouched(began)}
          isNew={false}
          isBusy={saving.isRunning}
          problem={saving.problem}
          onSubmit={(draft) => void saving.run(toUpdateS3(draft, initialS3))}
        />
      ) : (
        <SinkForm
          key={began.configVersion}
          initial={initial}
          onTouched={() => setTouched(began)}
          isNew={false}
          isBusy={saving.isRunning}
          problem={saving.problem}
          submitText="Save"
          onSubmit={(draft) => void saving.run(toUpdate(draft, initial))}
        />
      )}
    </section>
  );
}

function DeleteSection({ sink }: { sink: Sink }) {
  const [isDeleting, setDeleting] = useState(false);
  return (
    <section class="card pad stack" aria-labelledby="delete-title">
      <h2 id="delete-title">Delete</h2>
      <p class="quiet">Nothing is sent any more, and the secret is destroyed. What was sent stays on record.</p>
      <div>
        <Button kind="danger" onClick={() => setDeleting(true)}>
          Delete this data source
        </Button>
      </div>
      {isDeleting && (
        <DeleteDialog sink={sink} onClose={() => setDeleting(false)} onDeleted={() => goTo(to.agent(sink.agentId))} />
      )}
    </section>
  );
}

function Facts({ sink }: { sink: Sink }) {
  return (
    <section class="card pad stack" aria-labelledby="facts-title">
      <h2 id="facts-title">Facts</h2>
      <dl class="facts">
        <dt>Id</dt>
        <dd class="mono break">{sink.id}</dd>
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
function bodiesOf(sink: Sink): string {
  const { format } = sink;
  const { compression, includeFields, maxRowsPerPush, maxPushesPerSecond, ...details } = webhookOf(sink);
  return [
    format,
    ...(compression === 'gzip' ? ['gzip'] : []),
    ...(format === 'CSV' && details.csvFormulas === 'raw' ? ['text as it is'] : []),
    ...(format === 'PARQUET' ? [details.parquetCodec ?? 'snappy'] : []),
    ...(includeFields ? [includeFields.join(' ')] : []),
    ...(typeof maxRowsPerPush === 'number' ? [`${counted(maxRowsPerPush, 'row')} in one push`] : []),
    ...(typeof maxPushesPerSecond === 'number' ? [`${maxPushesPerSecond} a second at most`] : []),
  ].join(', ');
}
