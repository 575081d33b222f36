import { type FileMetaData, parquetMetadata, parquetReadObjects } from 'hyparquet';
import { gunzipSync } from 'node:zlib';

/** Columns of the file: name, physical type, logical type, whether a value may be missing. */
export type ReadColumn = readonly [name: string, type: string, logical: string | null, nullable: boolean];

export interface ReadParquet {
  readonly columns: readonly ReadColumn[];
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Rows of each row group. */
  readonly groups: readonly number[];
  readonly codecs: readonly string[];
}

/** Reads a file with a reader that is not the writer's own code: `hyparquet`. */
export async function readParquet(bytes: Buffer): Promise<ReadParquet> {
  const file = new Uint8Array(bytes).buffer;
  const metadata: FileMetaData = parquetMetadata(file);
  const rows = await parquetReadObjects({ file, metadata, compressors: { GZIP: (input) => gunzipSync(input) } });
  const columns = metadata.schema.slice(1).map((column): ReadColumn => {
    return [column.name, column.type ?? '', column.logical_type?.type ?? null, column.repetition_type === 'OPTIONAL'];
  });
  const chunks = metadata.row_groups.flatMap((group) => group.columns);
  return {
    ...{ columns, rows },
    groups: metadata.row_groups.map((group) => Number(group.num_rows)),
    codecs: [...new Set(chunks.map((chunk) => chunk.meta_data?.codec ?? ''))],
  };
}
