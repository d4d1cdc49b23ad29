import { z } from 'zod';

/** Where a process finds its key: a Web3 Secret Storage file, and its password in a file or an environment variable. */
export const keystoreSource = z
  .strictObject({
    path: z.string().min(1),
    passwordFile: z.string().min(1).optional(),
    passwordEnv: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable')
      .optional(),
  })
  .refine((source) => (source.passwordFile === undefined) !== (source.passwordEnv === undefined), {
    error: 'name exactly one of passwordFile and passwordEnv',
  });

export type KeystoreSource = z.output<typeof keystoreSource>;
