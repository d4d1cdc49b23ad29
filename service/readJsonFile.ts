import { readFileSync } from 'node:fs';

import { ConfigInvalidError } from './loadConfig.js';
import { messageOf, unreadable } from './thrown.js';

/** Parsed content of a JSON file that a configuration names under `key`. Throws ConfigInvalidError. */
export function readJsonFile(key: string, file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigInvalidError([{ path: key, message: `${file} ${unreadable(error)}` }]);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigInvalidError([{ path: key, message: `${file} is not JSON: ${messageOf(error)}` }]);
  }
}
