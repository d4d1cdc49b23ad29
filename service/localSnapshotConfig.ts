import path from 'node:path';

import { z } from 'zod';

/** Keys about the local snapshot of the market. */
export const localSnapshotSchema = z
  .strictObject({
    /** Default `market.snapshot` in `dataDir`. */
    file: z.string().min(1).optional(),
    /** Seconds between two times that it is written, besides at the stop; 0 keeps and uses none. */
    everySeconds: z.int().min(0).max(604_800).default(600),
  })
  .prefault({});

/** The option of a follower: by default a file in `dataDir`; none when no snapshot is kept. */
export function localSnapshotIn(
  dataDir: string,
  { file, everySeconds }: z.output<typeof localSnapshotSchema>,
): { readonly localSnapshot?: { readonly file: string; readonly everySeconds: number } } {
  if (everySeconds === 0) return {};
  return { localSnapshot: { file: file ?? path.join(dataDir, 'market.snapshot'), everySeconds } };
}
