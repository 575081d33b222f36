import { useId } from 'preact/hooks';
import type { Problem } from '../api/problem.js';
import { Button } from '../ui/button.js';
import { FieldError, FieldGroup } from '../ui/field.js';
import { Icon } from '../ui/icons.js';
import type { FieldsParts } from './fields-parts.js';

const MAX_HEADERS = 20;

type Header = FieldsParts['draft']['headers'][number];

export function HeaderFields({ draft, problem, change }: FieldsParts) {
  const { headers } = draft;
  const replace = (index: number, header: Header): void =>
    change({ headers: headers.map((other, i) => (i === index ? header : other)) });
  return (
    <FieldGroup
      legend="Headers of your own"
      help="Sent with every push, for routing or a gateway’s key. They are shown to everyone who may see this data source."
      error={problem?.at('/config/customHeaders')}
    >
      {headers.map((header, index) => (
        <HeaderRow
          key={index}
          header={header}
          error={errorOf(problem, index)}
          number={index + 1}
          onChange={(changed) => replace(index, changed)}
          onRemove={() => change({ headers: headers.filter((_, i) => i !== index) })}
        />
      ))}
      {headers.length < MAX_HEADERS && (
        <div>
          <Button icon="plus" onClick={() => change({ headers: [...headers, { name: '', value: '' }] })}>
            Add a header
          </Button>
        </div>
      )}
    </FieldGroup>
  );
}

interface HeaderRowParts {
  readonly header: Header;
  readonly number: number;
  readonly error: string | null;
  readonly onChange: (header: Header) => void;
  readonly onRemove: () => void;
}

function HeaderRow({ header, number, error, onChange, onRemove }: HeaderRowParts) {
  const errorId = useId();
  const links = { 'aria-invalid': error !== null, ...(error !== null && { 'aria-describedby': errorId }) };
  return (
    <div class="header-row">
      <input
        {...links}
        class="mono"
        aria-label={`Name of header ${number}`}
        placeholder="X-Environment"
        value={header.name}
        onInput={(event) => onChange({ ...header, name: event.currentTarget.value })}
      />
      <input
        {...links}
        class="mono"
        aria-label={`Value of header ${number}`}
        placeholder="production"
        value={header.value}
        onInput={(event) => onChange({ ...header, value: event.currentTarget.value })}
      />
      <button type="button" class="button button-quiet" aria-label={`Remove header ${number}`} onClick={onRemove}>
        <Icon name="cross" />
      </button>
      <FieldError id={errorId} error={error} />
    </div>
  );
}

function errorOf(problem: Problem | null, index: number): string | null {
  const place = `/config/customHeaders/${index}`;
  return problem?.errors.find(({ pointer }) => pointer === place || pointer.startsWith(`${place}/`))?.detail ?? null;
}
