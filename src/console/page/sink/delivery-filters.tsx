import { useId } from 'preact/hooks';
import type { DeliveryStatus } from '../api/types.js';

interface Filter {
  readonly text: string;
  readonly statuses?: readonly DeliveryStatus[];
}

export const FILTERS = {
  all: { text: 'All' },
  open: { text: 'Under way', statuses: ['PENDING', 'IN_FLIGHT', 'RETRYING'] },
  delivered: { text: 'Delivered', statuses: ['DELIVERED'] },
  failed: { text: 'Failed', statuses: ['FAILED'] },
  cancelled: { text: 'Cancelled', statuses: ['CANCELLED'] },
} as const satisfies Readonly<Record<string, Filter>> as Readonly<Record<FilterName, Filter>>;

export type FilterName = 'all' | 'open' | 'delivered' | 'failed' | 'cancelled';

interface DeliveryFiltersParts {
  readonly filter: FilterName;
  readonly search: string;
  readonly onFilter: (filter: FilterName) => void;
  readonly onSearch: (search: string) => void;
}

export function DeliveryFilters({ filter, search, onFilter, onSearch }: DeliveryFiltersParts) {
  const searchId = useId();
  return (
    <div class="filters">
      <div class="segments" role="group" aria-label="Show deliveries by status">
        {(Object.keys(FILTERS) as FilterName[]).map((name) => (
          <button key={name} type="button" aria-pressed={name === filter} onClick={() => onFilter(name)}>
            {FILTERS[name].text}
          </button>
        ))}
      </div>
      <div class="search">
        <label for={searchId} class="visually-hidden">
          Search by job id
        </label>
        <input
          id={searchId}
          type="search"
          class="mono"
          placeholder="Search by job id"
          value={search}
          onInput={(event) => onSearch(event.currentTarget.value)}
          spellcheck={false}
        />
      </div>
    </div>
  );
}
