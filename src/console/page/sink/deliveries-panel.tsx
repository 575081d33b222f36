import { useEffect, useRef, useState } from 'preact/hooks';
import type { Delivery, DeliveryStatus, Page, Sink } from '../api/types.js';
import { to } from '../app/router.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { useResource } from '../app/use-resource.js';
import { AttemptChart } from '../chart/attempt-chart.js';
import { ButtonLink, Button } from '../ui/button.js';
import { UpgradeCard } from '../ui/upgrade-card.js';
import { ProblemNotice } from '../ui/notice.js';
import { Empty, Loaded } from '../ui/states.js';
import { DeliveryFilters, FILTERS, type FilterName } from './delivery-filters.js';
import { DeliveryList } from './delivery-list.js';

const PAGE = 20;
const POLL_MS = 2_500;
/** Debounce while typing. */
const TYPING_MS = 300;

/** The data source's deliveries, refreshed live. */
export function DeliveriesPanel({ sink }: { sink: Sink }) {
  const api = useApi();
  const [filter, setFilter] = useState<FilterName>('all');
  const [search, setSearch] = useState('');
  const jobId = useSettled(search.trim(), TYPING_MS);
  const query = queryOf(filter, jobId);
  const key = `deliveries ${sink.id} ${filter} ${jobId}`;
  const load = (cursor?: string) =>
    api.deliveries(sink.agentId, sink.id, { ...query, limit: PAGE, ...(cursor !== undefined && { cursor }) });
  const newest = useResource<Page<Delivery>>(key, () => load(), POLL_MS);
  const isFiltered = filter !== 'all' || jobId !== '';
  const [last] = newest.data?.items ?? [];
  return (
    <div class="stack">
      {last?.reason === 'plan_required' && <UpgradeCard />}
      <AttemptChart sink={sink} />
      <DeliveryFilters filter={filter} search={search} onFilter={setFilter} onSearch={setSearch} />
      <Loaded of={newest} lines={5}>
        {(page) =>
          page.items.length === 0 ? (
            <NoDeliveries sink={sink} isFiltered={isFiltered} />
          ) : (
            <Pages key={key} newest={page} load={load} />
          )
        }
      </Loaded>
    </div>
  );
}

function queryOf(filter: FilterName, jobId: string): { status?: DeliveryStatus[]; jobId?: string } {
  const { statuses } = FILTERS[filter];
  return { ...(statuses && { status: [...statuses] }), ...(jobId !== '' && { jobId }) };
}

function NoDeliveries({ sink, isFiltered }: { sink: Sink; isFiltered: boolean }) {
  if (isFiltered) {
    return (
      <Empty icon="info" title="Nothing matches">
        No delivery has this status and job id. The search takes a whole job id.
      </Empty>
    );
  }
  return (
    <Empty
      icon="clock"
      title="Nothing was sent yet"
      action={<ButtonLink href={to.sink(sink.agentId, sink.id, 'test')}>Test it</ButtonLink>}
    >
      Deliveries appear here as jobs finish, once automatic pushes are on and the agent is active. You can also push a
      finished job by hand.
    </Empty>
  );
}

interface PagesParts {
  readonly newest: Page<Delivery>;
  readonly load: (cursor?: string) => Promise<Page<Delivery>>;
}

/** The first page is refreshed; older pages are loaded on request and then not refreshed. */
function Pages({ newest, load }: PagesParts) {
  const [older, setOlder] = useState<Page<Delivery> | null>(null);
  const known = useRef<readonly Delivery[]>([]);
  const shown = older ? [...newest.items, ...belowOf(newest, [...known.current, ...older.items])] : newest.items;
  // Keeps deliveries that new ones push off the first page, since the older pages do not have them.
  known.current = shown;
  const cursor = older ? older.nextCursor : newest.nextCursor;
  const loading = useAction(async () => setOlder(await load(cursor ?? undefined)));
  return (
    <div class="stack">
      <DeliveryList deliveries={shown} />
      <ProblemNotice problem={loading.problem} />
      {cursor !== null && (
        <div>
          <Button isBusy={loading.isRunning} onClick={() => void loading.run()}>
            Show older
          </Button>
        </div>
      )}
    </div>
  );
}

/** The older deliveries without duplicates. Lists are ordered by id. */
function belowOf(newest: Page<Delivery>, deliveries: readonly Delivery[]): readonly Delivery[] {
  const edge = newest.items.at(-1)?.id ?? '';
  const byId = new Map(deliveries.filter(({ id }) => id < edge).map((delivery) => [delivery.id, delivery]));
  return [...byId.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
}

/** A debounced value. */
function useSettled<T>(value: T, afterMs: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), afterMs);
    return () => clearTimeout(timer);
  }, [value, afterMs]);
  return settled;
}
