import { useState } from 'preact/hooks';
import type { RotateSecret, SavedSink, Sink } from '../api/types.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { Notice, ProblemNotice } from '../ui/notice.js';
import { Time } from '../ui/time.js';
import { SecretInput, WhoMakesTheSecret } from './auth-fields.js';
import { type Overlap, OverlapFields, secondsOf } from './overlap-fields.js';
import { SecretOnce } from './secret-once.js';
import { webhookOf } from './s3-sink.js';

interface RotateParts {
  readonly sink: Sink;
  readonly onClose: () => void;
  readonly onRotated: () => Promise<void>;
}

/** Rotates the secret, and shows a generated one once. */
export function RotateDialog({ sink, onClose, onRotated }: RotateParts) {
  const [saved, setSaved] = useState<SavedSink | null>(null);
  const rotated = async (answer: SavedSink): Promise<void> => {
    setSaved(answer);
    await onRotated();
  };
  return (
    <Dialog title={saved ? 'The secret is rotated' : 'Rotate the secret'} onClose={onClose}>
      {saved ? (
        <Rotated sink={saved} onClose={onClose} />
      ) : (
        <RotateForm sink={sink} onClose={onClose} onRotated={rotated} />
      )}
    </Dialog>
  );
}

interface RotateFormParts extends Omit<RotateParts, 'onRotated'> {
  readonly onRotated: (saved: SavedSink) => Promise<void>;
}

function RotateForm({ sink, onClose, onRotated }: RotateFormParts) {
  const api = useApi();
  const scheme = webhookOf(sink).authScheme;
  const isSigned = scheme === 'HmacSha256';
  const [isGenerated, setGenerated] = useState(isSigned);
  const [value, setValue] = useState('');
  const [overlap, setOverlap] = useState<Overlap>({ choice: 'day', hours: '48' });
  const rotating = useAction(async () => {
    const body: RotateSecret = {
      ...(!isGenerated && { value }),
      ...(isSigned && { overlapSeconds: secondsOf(overlap) }),
    };
    await onRotated(await api.rotateSecret(sink.agentId, sink.id, body));
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    void rotating.run();
  };
  const { problem } = rotating;
  const isAtField = problem !== null && problem.errors.length > 0;
  return (
    <form class="stack" onSubmit={submit} noValidate>
      {isSigned && <WhoMakesTheSecret isGenerated={isGenerated} onChoose={setGenerated} />}
      {!isGenerated && (
        <SecretInput scheme={scheme} error={problem?.at('/value') ?? null} value={value} onInput={setValue} />
      )}
      {isSigned ? (
        <OverlapFields overlap={overlap} error={problem?.at('/overlapSeconds') ?? null} onChange={setOverlap} />
      ) : (
        <Notice tone="warn" title="The old one ends at once">
          Its header comes once in a push, so there is no overlap. Let your endpoint take both first; from the next
          attempt on only this one is sent.
        </Notice>
      )}
      {sink.previousSecret && (
        <Notice tone="info">
          Two secrets are in force already. Rotating again ends the older one
          {sink.previousSecret.hint && ` (${sink.previousSecret.hint})`} at once.
        </Notice>
      )}
      {!isAtField && <ProblemNotice problem={problem} />}
      <div class="dialog-actions">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" kind="primary" isBusy={rotating.isRunning}>
          Rotate
        </Button>
      </div>
    </form>
  );
}

function Rotated({ sink, onClose }: { sink: SavedSink; onClose: () => void }) {
  const { secret, previousSecret, warnings } = sink;
  return (
    <div class="stack">
      {secret.value === undefined ? (
        <p role="status">The secret that you gave is in force{secret.hint && ` (${secret.hint})`}.</p>
      ) : (
        <SecretOnce value={secret.value} />
      )}
      <p>
        {previousSecret ? (
          <>
            Give it to your endpoint until <Time at={previousSecret.expiresAt} />. Until then pushes carry the old
            secret’s signature too, in <span class="mono">X-MT-Signature-Previous</span>.
          </>
        ) : (
          'The old secret has ended. Your endpoint refuses pushes until it knows this one: send a test when it does.'
        )}
      </p>
      {warnings.map((warning) => (
        <Notice key={warning} tone="warn">
          {warning}
        </Notice>
      ))}
      <div class="dialog-actions">
        <Button kind="primary" onClick={onClose}>
          {secret.value === undefined ? 'Close' : 'I have stored it'}
        </Button>
      </div>
    </div>
  );
}
