import { useState } from 'preact/hooks';
import type { Sink } from '../api/types.js';
import { Button } from '../ui/button.js';
import { Countdown } from '../ui/countdown.js';
import { Time } from '../ui/time.js';
import { RotateDialog } from './rotate-dialog.js';
import { hasRole, isS3 } from './s3-sink.js';
import { TrustSection } from './trust-section.js';

interface SecretParts {
  readonly sink: Sink;
  readonly onChanged: () => Promise<void>;
}

/** The current secrets by their hints, and the button to rotate. */
export function SecretSection({ sink, onChanged }: SecretParts) {
  const [isRotating, setRotating] = useState(false);
  const { secret, previousSecret } = sink;
  if (hasRole(sink)) {
    return (
      <div class="card pad">
        <TrustSection sink={sink} />
      </div>
    );
  }
  return (
    <section class="card pad stack" aria-labelledby="secret-title">
      <h2 id="secret-title">Secret</h2>
      <dl class="facts">
        <dt>In force</dt>
        <dd>
          <span class="mono">{secret.hint ?? 'hidden'}</span>, since <Time at={secret.createdAt} />
        </dd>
        {previousSecret && (
          <>
            <dt>The one before</dt>
            <dd>
              <span class="mono">{previousSecret.hint ?? 'hidden'}</span>,{' '}
              <Countdown until={previousSecret.expiresAt} over="has ended">
                {(left) => `signs too for another ${left}`}
              </Countdown>
            </dd>
          </>
        )}
      </dl>
      {previousSecret && (
        <p class="help">
          Until then each push carries two signatures, so that your endpoint can change over meanwhile.
        </p>
      )}
      {isS3(sink) ? (
        <p class="help">Enter both keys under Settings to replace them. The old ones end at once.</p>
      ) : (
        <div>
          <Button icon="key" onClick={() => setRotating(true)}>
            Rotate the secret
          </Button>
        </div>
      )}
      {isRotating && <RotateDialog sink={sink} onClose={() => setRotating(false)} onRotated={onChanged} />}
    </section>
  );
}
