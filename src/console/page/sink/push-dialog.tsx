import { useState } from 'preact/hooks';
import type { Delivery, Sink } from '../api/types.js';
import { to } from '../app/router.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { Field } from '../ui/field.js';
import { ProblemNotice } from '../ui/notice.js';

interface PushDialogParts {
  readonly sink: Sink;
  readonly onClose: () => void;
  readonly onPushed: (delivery: Delivery) => void;
}

/** Pushes a completed job manually, even if automatic pushes are off. */
export function PushDialog({ sink, onClose, onPushed }: PushDialogParts) {
  const api = useApi();
  const [jobId, setJobId] = useState('');
  const pushing = useAction(async () => onPushed(await api.push(sink.agentId, sink.id, jobId.trim())));
  const submit = (event: Event): void => {
    event.preventDefault();
    void pushing.run();
  };
  const { problem } = pushing;
  const existing = problem?.code === 'delivery-exists' ? problem.text('deliveryId') : null;
  const fieldError = problem?.at('/jobId') ?? null;
  return (
    <Dialog title="Push a job" onClose={onClose}>
      <form class="stack" onSubmit={submit} noValidate>
        <p>
          The results of the job are sent to <strong>{sink.name}</strong> now. What was sent cannot be taken back.
        </p>
        <Field label="Job id" help="A finished job of this agent. It begins with job_." error={fieldError}>
          {(links) => (
            <input
              {...links}
              class="mono"
              value={jobId}
              onInput={(event) => setJobId(event.currentTarget.value)}
              autocomplete="off"
              spellcheck={false}
              autofocus
            />
          )}
        </Field>
        {fieldError === null && <ProblemNotice problem={problem} />}
        {existing && (
          <p>
            <a href={to.delivery(existing)}>Open the delivery of this job</a> to send it once more.
          </p>
        )}
        <div class="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" isBusy={pushing.isRunning}>
            Push
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
