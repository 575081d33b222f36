import { useState } from 'preact/hooks';
import type { Problem } from '../api/problem.js';
import { now } from '../app/clock.js';
import { Field } from '../ui/field.js';
import { fromLocalInput, RECENT, type RecoverSpan, toLocalInput } from './recover-span.js';

interface SpanParts {
  readonly span: RecoverSpan;
  readonly problem: Problem | null;
  readonly onChange: (span: RecoverSpan) => void;
}

/** Start and end of the period, in the viewer's time zone. */
export function RecoverSpanFields({ span, problem, onChange }: SpanParts) {
  const [recent, setRecent] = useState<string | null>(RECENT[1].text);
  const at = (name: string): string | null =>
    problem?.code === 'validation-failed' ? (problem.at(`?${name}`) ?? problem.at(`/${name}`)) : null;
  const change = (chosen: RecoverSpan): void => {
    setRecent(null);
    onChange(chosen);
  };
  return (
    <>
      <div class="segments" role="group" aria-label="What failed in">
        {RECENT.map(({ text, ms }) => (
          <button
            key={text}
            type="button"
            aria-pressed={recent === text}
            onClick={() => {
              setRecent(text);
              onChange({ since: new Date(now() - ms), until: null });
            }}
          >
            {text}
          </button>
        ))}
      </div>
      <div class="span-fields">
        <Field label="Since" help="What failed from then on." error={at('since')}>
          {(links) => (
            <input
              {...links}
              type="datetime-local"
              value={toLocalInput(span.since)}
              onChange={(event) => {
                const since = fromLocalInput(event.currentTarget.value);
                if (since) change({ ...span, since });
              }}
            />
          )}
        </Field>
        <Field label="Until" optional help="Empty: up to now." error={at('until')}>
          {(links) => (
            <input
              {...links}
              type="datetime-local"
              value={toLocalInput(span.until)}
              onChange={(event) => change({ ...span, until: fromLocalInput(event.currentTarget.value) })}
            />
          )}
        </Field>
      </div>
    </>
  );
}
