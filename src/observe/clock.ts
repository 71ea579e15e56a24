/** Wall clock in milliseconds since 1970 with fractions; comparable between threads of the process. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
