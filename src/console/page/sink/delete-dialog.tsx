import { useState } from 'preact/hooks';
import type { Sink } from '../api/types.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { Field } from '../ui/field.js';
import { ProblemNotice } from '../ui/notice.js';

interface DeleteDialogParts {
  readonly sink: Sink;
  readonly onClose: () => void;
  readonly onDeleted: () => void;
}

/** The name must be typed, so that nobody deletes the wrong one by accident. */
export function DeleteDialog({ sink, onClose, onDeleted }: DeleteDialogParts) {
  const api = useApi();
  const [typed, setTyped] = useState('');
  const deleting = useAction(async () => {
    await api.deleteSink(sink.agentId, sink.id);
    onDeleted();
  });
  const isRight = typed.trim() === sink.name.trim();
  const submit = (event: Event): void => {
    event.preventDefault();
    if (isRight) void deleting.run();
  };
  return (
    <Dialog title={`Delete “${sink.name}”?`} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <p>Deliveries that wait are cancelled, and the secret is destroyed. This cannot be undone.</p>
        <Field label="Type the name of the data source" help={`It is: ${sink.name}`}>
          {(links) => (
            <input
              {...links}
              type="text"
              value={typed}
              onInput={(event) => setTyped(event.currentTarget.value)}
              autocomplete="off"
              autofocus
            />
          )}
        </Field>
        <ProblemNotice problem={deleting.problem} />
        <div class="dialog-actions">
          <Button onClick={onClose}>Keep it</Button>
          <Button type="submit" kind="danger" isBusy={deleting.isRunning} disabled={!isRight}>
            Delete
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
