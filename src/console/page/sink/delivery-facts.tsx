import type { DeliveryWithAttempts } from '../api/types.js';
import { count, size } from '../text/format.js';
import { DELIVERY_TRIGGER } from '../text/labels.js';
import { CopyButton } from '../ui/copy-button.js';
import { Time } from '../ui/time.js';
import { BodyActions } from '../body/body-actions.js';

export function DeliveryFacts({ delivery }: { delivery: DeliveryWithAttempts }) {
  const { trigger, run, createdAt, settledAt, retriesSpent, retriesAllowed } = delivery;
  return (
    <aside class="card pad stack" aria-label="Body and facts">
      <BodyFacts delivery={delivery} />
      <h2>Facts</h2>
      <dl class="facts">
        <dt>Id</dt>
        <dd>
          <span class="mono break small">{delivery.id}</span>
          <CopyButton text={delivery.id} what="the delivery’s id" />
        </dd>
        <dt>Asked for by</dt>
        <dd>{DELIVERY_TRIGGER[trigger]}</dd>
        {run > 1 && (
          <>
            <dt>Run</dt>
            <dd>{run}</dd>
          </>
        )}
        <dt>Retries</dt>
        <dd>
          {retriesSpent} of {retriesAllowed} used
        </dd>
        <dt>Made</dt>
        <dd>
          <Time at={createdAt} />
        </dd>
        {settledAt !== null && (
          <>
            <dt>Settled</dt>
            <dd>
              <Time at={settledAt} />
            </dd>
          </>
        )}
      </dl>
    </aside>
  );
}

function BodyFacts({ delivery }: { delivery: DeliveryWithAttempts }) {
  const { payload, format, compression } = delivery;
  return (
    <>
      <h2>Body</h2>
      {payload === null ? (
        <p class="quiet">It is made right before the first attempt.</p>
      ) : (
        <dl class="facts">
          <dt>Rows</dt>
          <dd>{count(payload.rows)}</dd>
          <dt>Size</dt>
          <dd title={`${count(payload.bytes)} bytes`}>{size(payload.bytes)}</dd>
          <dt>Format</dt>
          <dd>
            {format}
            {compression === 'gzip' && ', gzip'}
          </dd>
          <dt>SHA-256</dt>
          <dd>
            <span class="mono break small">{payload.sha256}</span>
            <CopyButton text={payload.sha256} what="the SHA-256 of the body" />
          </dd>
        </dl>
      )}
      {payload !== null && (
        <>
          <p class="small quiet">{saysOfBody(payload)}</p>
          <BodyActions delivery={delivery} />
        </>
      )}
    </>
  );
}

function saysOfBody({ rebuilt, sameAsBefore }: NonNullable<DeliveryWithAttempts['payload']>): string {
  if (!rebuilt) return 'Every attempt sends exactly these bytes.';
  const again = 'Its first bytes had expired, so it was made again from the job’s results';
  if (sameAsBefore === null) return `${again}.`;
  return sameAsBefore
    ? `${again}: byte for byte the same.`
    : `${again}, and is not the same as before: the results were changed since.`;
}
