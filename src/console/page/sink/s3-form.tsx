import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Problem } from '../api/problem.js';
import type { SinkFormat } from '../api/types.js';
import { Button } from '../ui/button.js';
import { Code } from '../ui/code.js';
import { Field } from '../ui/field.js';
import { Notice, ProblemNotice } from '../ui/notice.js';
import { FormatDetails } from './format-details.js';
import { AccessFields } from './s3-access-fields.js';
import { policyOf, type S3Draft } from './s3-sink.js';
import { Text, type TextParts } from './s3-text.js';

interface S3FormParts {
  readonly initial: S3Draft;
  readonly isNew: boolean;
  readonly isBusy: boolean;
  readonly problem: Problem | null;
  readonly onTouched?: () => void;
  readonly onSubmit: (draft: S3Draft) => void;
  readonly children?: ComponentChildren;
}

const FORMATS: Readonly<Record<SinkFormat, string>> = {
  JSONL: 'JSONL: one row per line',
  CSV: 'CSV: a header and one row per line',
  PARQUET: 'PARQUET: a file with typed columns, for data warehouses',
  JSON: 'JSON: one object with the job’s facts and all rows',
};

const POINTERS = [
  ...['/name', '/format', '/config/bucket', '/config/prefix', '/config/region', '/config/endpointUrl'],
  '/config/roleArn',
  '/secret',
];

/** The fields of an S3 sink, each with its help, and the policy that its keys or its role need. */
export function S3Form({ initial, isNew, isBusy, problem, onTouched, onSubmit, children }: S3FormParts) {
  const [draft, setDraft] = useState(initial);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (problem) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [problem]);
  const change = (part: Partial<S3Draft>): void => {
    setDraft((before) => ({ ...before, ...part }));
    onTouched?.();
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    onSubmit(draft);
  };
  const text = { draft, problem, change };
  return (
    <form ref={form} class="form" onSubmit={submit} noValidate>
      <PlaceFields {...text} />
      <AccessFields {...text} isNew={isNew} />
      <HowFields {...text} />
      <Policy draft={draft} />
      <FormProblem problem={problem} />
      <div class="form-actions">
        <Button type="submit" kind="primary" isBusy={isBusy}>
          Save
        </Button>
        {children}
      </div>
    </form>
  );
}

/** Where objects go. */
function PlaceFields(text: TextParts) {
  return (
    <>
      <Text {...text} field="name" label="Name" pointer="/name" help="For your team: what this bucket is for." />
      <Text
        {...text}
        field="bucket"
        label="Bucket"
        pointer="/config/bucket"
        help="Its name, as the store has it."
        mono
      />
      <Text
        {...text}
        field="prefix"
        label="Prefix"
        pointer="/config/prefix"
        help="The folder of the objects, such as incoming/. Each job becomes one object in it, which is never overwritten."
        mono
        optional
      />
      <Text
        {...text}
        field="region"
        label="Region"
        pointer="/config/region"
        help="Such as eu-west-1; auto for R2."
        mono
      />
      <Text
        {...text}
        field="endpointUrl"
        label="Endpoint URL"
        pointer="/config/endpointUrl"
        help="Of a store that is not AWS (R2, MinIO, B2, Tigris, Google): https, without the bucket. Empty: AWS."
        mono
        optional
      />
    </>
  );
}

/** How an object is written. */
function HowFields({ draft, problem, change }: TextParts) {
  return (
    <>
      <Field label="Format" help="How an object is written." error={problem?.at('/format')}>
        {(links) => (
          <select
            {...links}
            value={draft.format}
            onChange={(event) => change({ format: event.currentTarget.value as SinkFormat })}
          >
            {Object.entries(FORMATS).map(([format, says]) => (
              <option key={format} value={format}>
                {says}
              </option>
            ))}
          </select>
        )}
      </Field>
      <FormatDetails {...{ draft, problem, change }} help="The object’s name then ends in .gz." what="objects" />
    </>
  );
}

function Policy({ draft }: { readonly draft: S3Draft }) {
  const isRole = draft.access === 'role';
  return (
    <section class="stack" aria-labelledby="policy-title">
      <h2 id="policy-title">{isRole ? 'What the role needs' : 'What the keys need'}</h2>
      <p class="quiet">
        Give {isRole ? 'the role' : 'the user of these keys'} this policy. It may write below the prefix, and nothing
        else.
      </p>
      <Code text={policyOf(draft)} what="the policy" />
    </section>
  );
}

/** What is said at the fields is not said twice. */
function FormProblem({ problem }: { readonly problem: Problem | null }) {
  const isAtFields =
    problem !== null &&
    problem.errors.length > 0 &&
    problem.errors.every(({ pointer }) => POINTERS.some((it) => pointer.startsWith(it)));
  return isAtFields ? (
    <Notice tone="bad" role="alert">
      {problem.code === 'secret-required' ? problem.detail : 'It is not saved yet: see what is marked above.'}
    </Notice>
  ) : (
    <ProblemNotice problem={problem} />
  );
}
