/** Chooses between JSON and plain text by the Accept header (RFC 9110 §12.5.1). */

/** True when the client wants plain text more than JSON; JSON when it does not care. */
export function prefersText(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  return qualityOf(accept, 'text/plain') > qualityOf(accept, 'application/json');
}

/** True when the client takes OpenMetrics at least as gladly as plain text, and says so. */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  if (accept === undefined || !accept.includes('application/openmetrics-text')) return false;
  const quality = qualityOf(accept, 'application/openmetrics-text');
  return quality > 0 && quality >= qualityOf(accept, 'text/plain');
}

/** The weight of `mediaType`, from the most specific range that matches it; 0 when none does. */
function qualityOf(accept: string, mediaType: string): number {
  const family = `${mediaType.split('/')[0]}/*`;
  let best = { specificity: 0, quality: 0 };
  for (const range of accept.split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const specificity = ['*/*', family, mediaType].indexOf(name) + 1;
    if (specificity > best.specificity) best = { specificity, quality: weightOf(parameters) };
  }
  return best.quality;
}

function weightOf(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => parameter.startsWith('q='));
  if (weight === undefined) return 1;
  const quality = Number(weight.slice('q='.length));
  return quality >= 0 && quality <= 1 ? quality : 0;
}
