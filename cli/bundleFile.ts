import { readFileSync } from 'node:fs';

import { BundleInvalidError } from '../protocol/bundle/matchBundle.js';
import { messageOf } from '../service/thrown.js';

/** Reads the text of a bundle. Throws BundleInvalidError that names the file when it cannot be read. */
export function readBundleFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new BundleInvalidError(file, `cannot be read (${messageOf(error)}); \`matchmaker bundle\` writes one`);
  }
}
