import type { Deployment } from '../deployment.js';

/** EigenLayer's number of each curve of signing keys; 0 stands for none. */
export const CURVE_TYPES = { ecdsa: 1, bn254: 2 } as const satisfies Record<Deployment['quorum']['curve'], number>;
