import type { Problem } from '../api/problem.js';
import type { SinkFormat } from '../api/types.js';
import { Check } from '../ui/check.js';
import { Field, FieldGroup } from '../ui/field.js';

/** What single formats can be told. */
export interface FormatSettings {
  readonly format: SinkFormat;
  readonly isCompressed: boolean;
  /** CSV: whether text that looks like a formula is written as it is. */
  readonly isRawCsv: boolean;
  readonly parquetCodec: 'snappy' | 'gzip';
}

export const PLAIN_FORMAT = { isCompressed: false, isRawCsv: false, parquetCodec: 'snappy' } as const;

/** As the API has them. */
export function formatConfig({ format, isCompressed, isRawCsv, parquetCodec }: FormatSettings) {
  return {
    compression: isCompressed && format !== 'PARQUET' ? ('gzip' as const) : ('none' as const),
    csvFormulas: isRawCsv ? ('raw' as const) : ('escape' as const),
    parquetCodec,
  };
}

interface FormatDetailsParts {
  readonly draft: FormatSettings;
  readonly problem: Problem | null;
  readonly change: (change: Partial<FormatSettings>) => void;
  /** Of compression: how it is told, and what is compressed. */
  readonly help: string;
  readonly what: string;
}

/** Compression, and what the chosen format can be told beside it. */
export function FormatDetails({ draft, problem, change, help, what }: FormatDetailsParts) {
  if (draft.format === 'PARQUET') return <CodecField draft={draft} problem={problem} change={change} />;
  return (
    <>
      <FieldGroup legend="Compression" help={help} error={problem?.at('/config/compression') ?? null}>
        <Check isOn={draft.isCompressed} onChange={(isCompressed) => change({ isCompressed })}>
          Send {what} compressed (gzip)
        </Check>
      </FieldGroup>
      {draft.format === 'CSV' && (
        <FieldGroup
          legend="Formulas"
          help="Text that a spreadsheet would run as a formula gets an apostrophe. Take that away only where programs alone read the file."
          error={problem?.at('/config/csvFormulas') ?? null}
        >
          <Check isOn={draft.isRawCsv} onChange={(isRawCsv) => change({ isRawCsv })}>
            Write text as it is
          </Check>
        </FieldGroup>
      )}
    </>
  );
}

function CodecField({ draft, problem, change }: Pick<FormatDetailsParts, 'draft' | 'problem' | 'change'>) {
  return (
    <Field
      label="Codec"
      help="How the pages inside the file are compressed. gzip is a third smaller and takes longer to make."
      error={problem?.at('/config/parquetCodec') ?? null}
    >
      {(links) => (
        <select
          {...links}
          value={draft.parquetCodec}
          onChange={(event) => change({ parquetCodec: event.currentTarget.value === 'gzip' ? 'gzip' : 'snappy' })}
        >
          <option value="snappy">snappy</option>
          <option value="gzip">gzip</option>
        </select>
      )}
    </Field>
  );
}
