const LF = 0x0a;
const CR = 0x0d;

/** Where the head of an answer ends, behind its blank line; -1 when more has to be read. Lines may end in a bare LF. */
export function headEnd(bytes: Buffer): number {
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return -1;
}

/**
 * The head of an answer of servers that are older than the rule, for a parser that keeps to it: lines that end in a bare LF
 * (RFC 9112, 2.2: a recipient may take one for a line's end), and a length that is said again, the same (RFC 9110, 8.6).
 * Lengths that differ, and one beside chunks, are left as they are, and refused: they are how answers are smuggled.
 * @returns null for one that needs nothing, as nearly all do
 */
export function repairedHead(head: Buffer): Buffer | null {
  const lines = head.toString('latin1').split('\n');
  const hasBareLf = lines.slice(0, -1).some((line) => !line.endsWith('\r'));
  const plain = lines.map((line) => line.replace(/\r$/, ''));
  const lengths = plain.filter((line) => LENGTH.test(line));
  const [first] = lengths;
  const value = first === undefined ? null : onlyLength(lengths);
  const isRepeated = value !== null && (lengths.length > 1 || !/^\d+$/.test(valueOf(first ?? '')));
  if (!hasBareLf && !isRepeated) return null;
  const kept = isRepeated ? withOneLength(plain, value) : plain;
  return Buffer.from(kept.join('\r\n'), 'latin1');
}

const LENGTH = /^content-length:/i;

function valueOf(line: string): string {
  return line.slice(line.indexOf(':') + 1).trim();
}

/** The one that all of them say; null when they differ. One line may say it several times. */
function onlyLength(lines: readonly string[]): string | null {
  const values = new Set(lines.flatMap((line) => valueOf(line).split(',')).map((value) => value.trim()));
  const [value] = values;
  return values.size === 1 && value !== undefined && /^\d+$/.test(value) ? value : null;
}

function withOneLength(lines: readonly string[], value: string): readonly string[] {
  const first = lines.findIndex((line) => LENGTH.test(line));
  return lines.flatMap((line, i) => (i === first ? `Content-Length: ${value}` : LENGTH.test(line) ? [] : line));
}
