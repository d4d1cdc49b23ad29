/** A measured point. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Slope of the straight line with the least squared distance from the points, y per x; null of points that have no spread in x. */
export function slopeOf(points: readonly Point[]): number | null {
  const count = points.length;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / count;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / count;
  let [covariance, variance] = [0, 0];
  for (const { x, y } of points) {
    covariance += (x - meanX) * (y - meanY);
    variance += (x - meanX) ** 2;
  }
  return variance > 0 ? covariance / variance : null;
}
