import type { Database } from '../database/database.js';
import { EnvelopeError, open } from './envelope.js';
import type { KeyRing } from './key-ring.js';
import type { SecretRow } from './secret.sql.js';

/** What the keys open of what is stored. */
export interface KeyCheck {
  /** Ids of keys that secrets are sealed with, and of which none that was tried can be opened. */
  readonly unreadable: readonly string[];
  /** Ids of keys that open what they are named in. */
  readonly readable: readonly string[];
}

/** One alone may have been tampered with. */
const TRIED_OF_EACH_KEY = 3;

const SAMPLE = `
SELECT s.id, s.workspace_id AS "workspaceId", s.key_id AS "keyId", s.ciphertext
  FROM (SELECT DISTINCT key_id FROM agent_data_source_secret) k
 CROSS JOIN LATERAL (
   SELECT * FROM agent_data_source_secret o WHERE o.key_id = k.key_id ORDER BY o.id DESC LIMIT ${TRIED_OF_EACH_KEY}) s`;

/** Tries some secrets under each key: at a boot, since else a wrong key is noticed with the first delivery. */
export async function checkKeys(sql: Database, keys: KeyRing): Promise<KeyCheck> {
  const readable = new Set<string>();
  const all = new Set<string>();
  for (const row of await sql.query<SecretRow>(SAMPLE)) {
    all.add(row.keyId);
    if (opens(keys, row)) readable.add(row.keyId);
  }
  return { readable: [...readable], unreadable: [...all].filter((id) => !readable.has(id)) };
}

function opens(keys: KeyRing, row: SecretRow): boolean {
  try {
    open(keys, { secretId: row.id, workspaceId: row.workspaceId }, row);
    return true;
  } catch (error) {
    if (error instanceof EnvelopeError) return false;
    throw error;
  }
}
