import { fileURLToPath } from 'node:url';

/** Writes a file of its own with the module's thread, in whichever Node it is run. */
export const WRITE_FILE = fileURLToPath(new URL('./write-file.mjs', import.meta.url));

/** What it prints, in every process and with every version of Node. */
export const WRITTEN = [
  'SNAPPY d93caf52411204d0a7194c71ae9bbf3694e2345a2fd6e5b41ab605e075aebbfb\n',
  'GZIP ed84a53bb122615f9d3de6f8a4e01fdf3fca6c4595c5f4e3cd51c2e975108de3\n',
].join('');
