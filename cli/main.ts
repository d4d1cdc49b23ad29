import { CommanderError } from 'commander';

import { buildProgram } from './program.js';
import { describeError, EXIT, exitCodeOf } from './usage.js';

try {
  await buildProgram((line) => process.stdout.write(`${line}\n`)).parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its message already; its success codes are help and version.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    process.stderr.write(`${describeError(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}
