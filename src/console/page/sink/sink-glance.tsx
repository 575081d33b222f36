import type { Delivery, Sink } from '../api/types.js';
import { to } from '../app/router.js';
import { useApi } from '../app/session.js';
import { useResource } from '../app/use-resource.js';
import { DELIVERY_STATUS, SCHEMES } from '../text/labels.js';
import { Badge } from '../ui/badge.js';
import { Icon } from '../ui/icons.js';
import { Ago } from '../ui/time.js';
import { sinkLabel } from './sink-state.js';
import { isS3, placeOf, webhookOf } from './s3-sink.js';

const LAST = 20;
const POLL_MS = 10_000;

/** One data source in the list: its state and its last deliveries. */
export function SinkGlance({ sink }: { sink: Sink }) {
  const api = useApi();
  const deliveries = useResource(
    `glance ${sink.id}`,
    () => api.deliveries(sink.agentId, sink.id, { limit: LAST }),
    POLL_MS,
  );
  return (
    <li class="card">
      <a class="sink-card" href={to.sink(sink.agentId, sink.id)}>
        <span class="sink-card-head">
          <strong>{sink.name}</strong>
          <Badge label={sinkLabel(sink)} />
          <Icon name="right" />
        </span>
        <span class="mono small break">{placeOf(sink)}</span>
        <span class="quiet small">{isS3(sink) ? 'S3 bucket' : SCHEMES[webhookOf(sink).authScheme].name}</span>
        {deliveries.data && <LastDeliveries deliveries={deliveries.data.items} />}
      </a>
    </li>
  );
}

function LastDeliveries({ deliveries }: { deliveries: readonly Delivery[] }) {
  const [newest] = deliveries;
  if (!newest) return <span class="quiet small">Nothing was sent yet.</span>;
  return (
    <span class="glance">
      <span class="glance-bars" aria-hidden="true">
        {[...deliveries].reverse().map(({ id, status }) => (
          <span key={id} class={`glance-bar glance-${DELIVERY_STATUS[status].tone}`} />
        ))}
      </span>
      <span class="small">
        {summary(deliveries)}{' '}
        <span class="quiet">
          Last one <Ago at={newest.createdAt} />.
        </span>
      </span>
    </span>
  );
}

/** Text alternative for the row of bars. */
function summary(deliveries: readonly Delivery[]): string {
  const with_ = (...statuses: readonly Delivery['status'][]): number =>
    deliveries.filter(({ status }) => statuses.includes(status)).length;
  const parts = [
    [with_('DELIVERED'), 'delivered'],
    [with_('FAILED'), 'failed'],
    [with_('CANCELLED'), 'cancelled'],
    [with_('PENDING', 'IN_FLIGHT', 'RETRYING'), 'under way'],
  ] as const;
  const said = parts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
  return `Of the last ${deliveries.length}: ${said.join(', ')}.`;
}
