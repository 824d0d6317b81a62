// Interleaved rounds of two servers, so that the machine's drift hits both alike.
import { summary } from "./stats.mjs";

/** Runs `a()` and `b()` in turn, `rounds` times, swapping who is first; the first pair only warms up. */
export async function pairs(label, rounds, a, b) {
  const results = { a: [], b: [] };
  for (let round = 0; round <= rounds; ++round) {
    process.stdout.write(`\r${label}: pair ${round}/${rounds} `);
    let [one, two] = [null, null];
    if (round % 2) {
      two = await b();
      one = await a();
    } else {
      one = await a();
      two = await b();
    }
    if (round === 0) continue;
    results.a.push(one);
    results.b.push(two);
  }
  process.stdout.write("\n");
  return results;
}

/** Summary of a[key] / b[key], pair by pair. */
export function ratio(results, key, keyB = key) {
  return summary(results.a.map((one, i) => one[key] / results.b[i][keyB]));
}
