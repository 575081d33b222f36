import type { SinkFormat } from '../api/types.js';
import { Check } from '../ui/check.js';
import { Field, FieldGroup } from '../ui/field.js';
import { NumberField } from '../ui/number-field.js';
import { ROW_FIELDS } from './draft.js';
import type { FieldsParts } from './fields-parts.js';
import { FormatDetails } from './format-details.js';

const FORMATS: Readonly<Record<SinkFormat, string>> = {
  JSON: 'JSON: one object with the job’s facts and all rows',
  JSONL: 'JSONL: one row per line, the job’s facts in headers',
  CSV: 'CSV: a header and one row per line, the job’s facts in headers',
  PARQUET: 'PARQUET: a file with typed columns, the job’s facts in headers',
};

/** The API's errors for these fields. */
export const ADVANCED_POINTER =
  /^\/(format|config\/(compression|includeFields|maxRowsPerPush|maxPushesPerSecond|sendTraceparent|csvFormulas|parquetCodec))/;

/** Format and number of bodies: settings that most endpoints never change. */
export function AdvancedFields(fields: FieldsParts) {
  const { draft, problem, change } = fields;
  return (
    <>
      <Field
        label="Format"
        help="How a body is written. What has been made already stays as it is."
        error={problem?.at('/format')}
      >
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
      <FormatDetails
        {...{ draft, problem, change }}
        help="With Content-Encoding: gzip. Signatures cover the bytes as they are sent: check before you unpack."
        what="bodies"
      />
      <RowFieldChoice {...fields} />
      <BoundFields {...fields} />
      <FieldGroup
        legend="Tracing"
        help="A traceparent header (W3C Trace Context) goes on with the trace of the job, so that your traces join ours."
        error={problem?.at('/config/sendTraceparent')}
      >
        <Check isOn={draft.sendTraceparent} onChange={(sendTraceparent) => change({ sendTraceparent })}>
          Send the trace of the job
        </Check>
      </FieldGroup>
    </>
  );
}

function RowFieldChoice({ draft, problem, change }: FieldsParts) {
  const wrong = problem?.errors.find(({ pointer }) => pointer.startsWith('/config/includeFields'))?.detail;
  return (
    <FieldGroup legend="Fields of a row" help="What is not ticked never leaves the platform." error={wrong ?? null}>
      {ROW_FIELDS.map(({ field, says }, index) => (
        <Check
          key={field}
          isOn={index === 0 || draft.fields.includes(field)}
          isFixed={index === 0}
          onChange={(isOn) =>
            change({ fields: isOn ? [...draft.fields, field] : draft.fields.filter((other) => other !== field) })
          }
        >
          <span class="mono">{field}</span> <span class="quiet">{says}</span>
        </Check>
      ))}
    </FieldGroup>
  );
}

function BoundFields({ draft, problem, change }: FieldsParts) {
  return (
    <>
      <NumberField
        label="Rows in one push, at most"
        optional
        isWhole
        help="A job with more is pushed as numbered parts, each a delivery of its own, the last one when all others are delivered."
        error={problem?.at('/config/maxRowsPerPush') ?? null}
        value={draft.maxRows}
        onInput={(maxRows) => change({ maxRows })}
      />
      <NumberField
        label="Pushes per second, at most"
        optional
        help="Retries count too. 0.1 is one in ten seconds. What has to wait keeps all its retries."
        error={problem?.at('/config/maxPushesPerSecond') ?? null}
        value={draft.maxPushes}
        onInput={(maxPushes) => change({ maxPushes })}
      />
    </>
  );
}
