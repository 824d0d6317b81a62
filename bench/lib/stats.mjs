// Paired comparison: the ratio of each round's two figures, its median, and a 95 % interval of the mean
// ratio by the bootstrap with a fixed seed.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function quantile(sorted, q) {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

function* seeded(seed) {
  for (let state = seed >>> 0; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** {median, low, high, min, max} of `values`, with the bootstrap's 95 % interval of the median. */
export function summary(values) {
  const random = seeded(1);
  const medians = [];
  for (let i = 0; i < 2000; ++i) {
    medians.push(median(values.map(() => values[Math.floor(random.next().value * values.length)])));
  }
  medians.sort((a, b) => a - b);
  return {
    median: median(values),
    low: quantile(medians, 0.025),
    high: quantile(medians, 0.975),
    min: Math.min(...values),
    max: Math.max(...values),
  };
}
