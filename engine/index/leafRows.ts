/** Rows of one leaf at most; a row is its leaf's number and its place in the leaf, `LEAF_SHIFT` bits. */
export const LEAF_ROWS = 32;
export const LEAF_SHIFT = 5;
export const PLACE_BITS = LEAF_ROWS - 1;
